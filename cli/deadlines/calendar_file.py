"""Reads a calendar file, and lists what in it is allowed but probably wrong."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from shared.procedures.calendars.calendar import Calendar, CalendarError, default_calendar
from shared.procedures.calendars.public_schedules import CHINA_PUBLISHED_UNTIL
from shared.procedures.loading.yaml_document import read_yaml
from shared.procedures.model.procedure_error import ProcedureError


def read_calendar(path: Path | None) -> Calendar:
    """Read a calendar file (YAML or JSON); None is the Chinese public schedule. Raises `CalendarError`."""
    if path is None:
        return default_calendar()
    try:
        # As packs are read: by YAML 1.2 (in YAML 1.1 a day `on` is true and the hour 12:30 is 750), and a repeated key is an error.
        data = read_yaml(path).data
    except ProcedureError as error:
        raise CalendarError(f"calendar file {error.in_one_line()}; give a YAML file with id, version, hours, days") from None
    if not isinstance(data, Mapping):
        raise CalendarError(f"calendar file {path}: must be a mapping; begin with id: and version:")
    return Calendar.parse(data)


def calendar_warnings(calendar: Calendar) -> list[str]:
    """Probable mistakes in the calendar, each with its remedy; empty where it has no `published_until`."""
    until = calendar.published_until
    if until is None:
        return []
    warnings: list[str] = []
    later = [day for day in calendar.days if day > until]
    if later:
        warnings.append(f"days: {later[0]} lies after published_until {until}; move published_until once the whole schedule is entered")
    years = range(CHINA_PUBLISHED_UNTIL.year + 1, until.year + 1)
    empty = [year for year in years if not any(day.year == year for day in calendar.days)]
    warnings.extend(f"published_until {until}: {year} has no exception at all; enter its days off and make-up days" for year in empty)
    if (until + timedelta(days=1)).day != 1:
        warnings.append(f"published_until {until}: is not the end of a month; a public schedule is announced for whole years")
    return warnings
