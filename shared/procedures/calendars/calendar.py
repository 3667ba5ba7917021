"""A working calendar as data: zone, hours of each weekday, dated exceptions, version and published horizon."""

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
"""From and to, in minutes of the day; half-open, 1440 is 24:00."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OFFICE_HOURS: Final[tuple[MinuteInterval, ...]] = ((9 * 60, 12 * 60), (13 * 60, 18 * 60))
_SATURDAY: Final = 5
_CALENDAR_KEYS: Final = ("id", "version", "zone", "hours", "schedule", "published_until", "days")
_INTERVAL = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")


class CalendarError(ValueError):
    """A calendar that cannot be used; the text names the field, the rule and the remedy."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Calendar:
    """Working time of an organisation or department. `days` holds the exceptions, resolved to their hours (empty: a day off)."""

    id: str
    version: str
    zone: ZoneInfo
    hours: tuple[tuple[MinuteInterval, ...], ...]
    days: Mapping[date, tuple[MinuteInterval, ...]] = field(default_factory=dict)
    published_until: date | None = None

    @classmethod
    def parse(cls, data: Mapping[str, object]) -> Calendar:
        """Read a calendar from plain data (YAML or JSON, see docs/reference); raises CalendarError."""
        if unknown := [key for key in data if key not in _CALENDAR_KEYS]:
            raise CalendarError(f"calendar: unknown key {unknown[0]!r}; the keys are {', '.join(_CALENDAR_KEYS)}")
        name = data.get("schedule", "china")
        public = find_schedule(name) if isinstance(name, str) else None
        if public is None:
            raise CalendarError(f"calendar schedule {name!r}: there is no such schedule; write china or none")
        hours = _parse_week(data.get("hours"))
        given = _parse_days(data.get("days"))
        until = _published_until(data, public.published_until)
        changes: dict[date, object] = {day: change for day, change in public.days.items() if until is None or day <= until}
        changes.update(given)
        return cls(
            id=_required_name(data, "id"),
            version=_required_name(data, "version"),
            zone=_parse_zone(data.get("zone", "Asia/Shanghai")),
            hours=hours,
            days={day: _exception_hours(day, changes[day], hours) for day in sorted(changes)},
            published_until=until,
        )

    def intervals_on(self, day: date) -> tuple[MinuteInterval, ...]:
        """Give the working intervals of a date; after the published horizon weekdays and explicit entries alone decide."""
        found = self.days.get(day)
        return self.hours[day.weekday()] if found is None else found

    def is_published(self, day: date) -> bool:
        """Say whether the schedule of a date is published, or entered by hand."""
        return self.published_until is None or day <= self.published_until or day in self.days


@cache
def default_calendar() -> Calendar:
    """Give the default calendar: the Chinese public schedule, Monday to Friday 09:00-12:00 and 13:00-18:00, Asia/Shanghai."""
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
        raise CalendarError("calendar hours: no weekday is worked, so no deadline could ever come; give at least one interval")
    return hours


def _parse_intervals(where: str, value: object) -> tuple[MinuteInterval, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise CalendarError(f'calendar {where} {value!r}: must be a list of intervals; write ["09:00-12:00", "13:00-18:00"]')
    found = tuple(_parse_interval(where, item) for item in value)
    for (_, shut), (opens, _) in pairwise(found):
        if opens < shut:
            raise CalendarError(f"calendar {where}: intervals overlap or run backwards; write them in order, each after the one before")
    return found


def _parse_interval(where: str, value: object) -> MinuteInterval:
    match = _INTERVAL.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise CalendarError(f"calendar {where} {value!r}: is not an interval; write 09:00-12:00")
    opens, shut = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    if int(match[2]) > 59 or int(match[4]) > 59 or not opens < shut <= 24 * 60:  # noqa: PLR2004 - minutes of an hour
        raise CalendarError(f"calendar {where} {value!r}: must end after it begins, by 24:00; split a night shift at midnight")
    return opens, shut


def _parse_date(where: str, value: object) -> date:
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise CalendarError(f"calendar {where} {value!r}: is not a date; write 2027-02-06") from None


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
    own = hours[day.weekday()] if day.weekday() < _SATURDAY else ()
    worked = own or hours[0]
    if not worked:
        raise CalendarError(f"calendar days {day}: work takes Monday's hours, and Monday has none; give the day's own intervals")
    return worked


def _published_until(data: Mapping[str, object], published: date | None) -> date | None:
    if data.get("published_until") is None:
        return published
    return _parse_date("published_until", data["published_until"])
