"""The time zone of a procedure's dates: its calendar's, else the organisation's, else Asia/Shanghai."""

from datetime import tzinfo

from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation


def procedure_zone(procedure: Procedure, organisation: Organisation) -> tzinfo:
    """The time zone; raises `CalendarError` for a calendar that cannot be used."""
    calendar_id = procedure.calendar or organisation.calendar
    calendar = next((data for data in organisation.calendars if data.get("id") == calendar_id), None)
    return default_calendar().zone if calendar is None else Calendar.parse(calendar).zone
