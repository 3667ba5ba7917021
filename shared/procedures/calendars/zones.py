"""The time zone of dates and answers: the procedure's calendar's, else the organisation's, else Asia/Shanghai."""

from datetime import tzinfo

from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation


def procedure_zone(procedure: Procedure, organisation: Organisation) -> tzinfo:
    """The time zone; raises `CalendarError` for a calendar that cannot be used."""
    return _zone_of(procedure.calendar or organisation.calendar, organisation)


def organisation_zone(organisation: Organisation) -> tzinfo:
    """The zone of the organisation's calendar, in which answers show every instant; raises `CalendarError` like `procedure_zone`."""
    return _zone_of(organisation.calendar, organisation)


def _zone_of(calendar_id: str, organisation: Organisation) -> tzinfo:
    calendar = next((data for data in organisation.calendars if data.get("id") == calendar_id), None)
    return default_calendar().zone if calendar is None else Calendar.parse(calendar).zone
