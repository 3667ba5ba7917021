"""A working calendar: time zone, hours of each weekday, dated exceptions, and the date up to which they are published."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.procedures.calendars.public_schedules import find_schedule

MinuteInterval = tuple[int, int]
"""Start (inclusive) and end (exclusive) in minutes of the day; 1440 is 24:00."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OFFICE_HOURS: Final[tuple[MinuteInterval, ...]] = ((9 * 60, 12 * 60), (13 * 60, 18 * 60))
_SATURDAY: Final = 5
_CALENDAR_KEYS: Final = ("id", "version", "zone", "hours", "schedule", "published_until", "days")
_INTERVAL = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")


class CalendarError(ValueError):
    """A calendar that cannot be used; the message names the field, the rule and the remedy."""


# Compared by identity and referenced weakly: sla caches the working time of each calendar as long as the calendar exists.
@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Calendar:
    """Working time of an organisation or department; `days` holds the hours of each exception, none for a day off."""

    id: str
    version: str
    zone: ZoneInfo
    hours: tuple[tuple[MinuteInterval, ...], ...]
    days: Mapping[date, tuple[MinuteInterval, ...]] = field(default_factory=dict)
    published_until: date | None = None

    @classmethod
    def parse(cls, data: Mapping[str, object]) -> Calendar:
        """Read a calendar from plain data, as docs/reference/calendars.md describes it; raises `CalendarError`."""
        if unknown := [key for key in data if key not in _CALENDAR_KEYS]:
            raise CalendarError(f"calendar: unknown key {unknown[0]!r}; the keys are {', '.join(_CALENDAR_KEYS)}")
        name = data.get("schedule", "china")
        public = find_schedule(name) if isinstance(name, str) else None
        if public is None:
            raise CalendarError(f"calendar schedule {name!r}: there is no such schedule; write china or none")
        hours = _parse_week(data.get("hours"))
        own_days = _parse_days(data.get("days"))
        until = _published_until(data, public.published_until)
        changes: dict[date, object] = {day: change for day, change in public.days.items() if until is None or day <= until}
        changes.update(own_days)
        return cls(
            id=_required_name(data, "id"),
            version=_required_name(data, "version"),
            zone=_parse_zone(data.get("zone", "Asia/Shanghai")),
            hours=hours,
            days={day: _exception_hours(day, changes[day], hours) for day in sorted(changes)},
            published_until=until,
        )

    def intervals_on(self, day: date) -> tuple[MinuteInterval, ...]:
        """The working intervals of a date: those of its exception, else those of its weekday."""
        exception = self.days.get(day)
        return self.hours[day.weekday()] if exception is None else exception

    def is_published(self, day: date) -> bool:
        """Whether the schedule of a date is published, or the calendar itself has an entry for it."""
        return self.published_until is None or day <= self.published_until or day in self.days


@cache
def default_calendar() -> Calendar:
    """The default calendar: the Chinese public schedule, Monday to Friday 09:00-12:00 and 13:00-18:00, Asia/Shanghai."""
    return Calendar.parse({"id": "china", "version": "2026"})


def _required_name(data: Mapping[str, object], key: str) -> str:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise CalendarError(f"calendar {key} {value!r}: must be a name; write for example {key}: main")
    return str(value)


def _parse_zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CalendarError(f"calendar zone {value!r}: is not a time zone; write a name such as Asia/Shanghai") from None


def _parse_week(value: object) -> tuple[tuple[MinuteInterval, ...], ...]:
    if value is None:
        return (OFFICE_HOURS,) * 5 + ((), ())
    if not isinstance(value, Mapping):
        raise CalendarError(f'calendar hours {value!r}: must map weekdays to intervals; write mon: ["09:00-12:00", "13:00-18:00"]')
    if unknown := [key for key in value if key not in WEEKDAYS]:
        raise CalendarError(f"calendar hours {unknown[0]!r}: is not a weekday; write {', '.join(WEEKDAYS)}")
    hours = tuple(_parse_intervals(f"hours {name}", value.get(name) or ()) for name in WEEKDAYS)
    if not any(hours):
        raise CalendarError("calendar hours: no weekday is worked, so that no deadline could be due; give at least one interval")
    return hours


def _parse_intervals(field_name: str, value: object) -> tuple[MinuteInterval, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise CalendarError(f'calendar {field_name} {value!r}: must be a list of intervals; write ["09:00-12:00", "13:00-18:00"]')
    intervals = tuple(_parse_interval(field_name, item) for item in value)
    for (_, previous_end), (start, _) in pairwise(intervals):
        if start < previous_end:
            raise CalendarError(f"calendar {field_name}: intervals overlap or are out of order; write them in order, without overlap")
    return intervals


def _parse_interval(field_name: str, value: object) -> MinuteInterval:
    match = _INTERVAL.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise CalendarError(f"calendar {field_name} {value!r}: is not an interval; write 09:00-12:00")
    start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    if int(match[2]) > 59 or int(match[4]) > 59 or not start < end <= 24 * 60:  # noqa: PLR2004 - minutes of an hour
        raise CalendarError(f"calendar {field_name} {value!r}: must end after it begins, by 24:00; split a night shift at midnight")
    return start, end


def _parse_date(field_name: str, value: object) -> date:
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise CalendarError(f"calendar {field_name} {value!r}: is not a date; write 2027-02-06") from None


def _parse_days(value: object) -> dict[date, object]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise CalendarError(f"calendar days {value!r}: must map dates to off, work or intervals; write 2027-02-06: off")
    return {_parse_date("days", day): entry for day, entry in value.items()}


def _exception_hours(day: date, entry: object, hours: tuple[tuple[MinuteInterval, ...], ...]) -> tuple[MinuteInterval, ...]:
    if entry is False or entry == "off":  # YAML 1.1 reads a bare off as false
        return ()
    if entry != "work":
        return _parse_intervals(f"days {day}", entry)
    # A make-up working day on a weekend has the hours of a normal working day.
    weekday_hours = hours[day.weekday()] if day.weekday() < _SATURDAY else ()
    working_hours = weekday_hours or hours[0]
    if not working_hours:
        raise CalendarError(f"calendar days {day}: work takes Monday's hours, and Monday has none; give the day's own intervals")
    return working_hours


def _published_until(data: Mapping[str, object], published: date | None) -> date | None:
    if data.get("published_until") is None:
        return published
    return _parse_date("published_until", data["published_until"])
