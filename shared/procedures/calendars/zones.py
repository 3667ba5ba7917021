"""The time zone in which a procedure's dates are read: its own calendar's, else the organisation's, else Asia/Shanghai."""

from datetime import tzinfo

from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation


def procedure_zone(procedure: Procedure, organisation: Organisation) -> tzinfo:
    """The calendar's zone; raises `CalendarError` for a calendar that cannot be used."""
    wanted = procedure.calendar or organisation.calendar
    found = next((each for each in organisation.calendars if each.get("id") == wanted), None)
    return default_calendar().zone if found is None else Calendar.parse(found).zone
