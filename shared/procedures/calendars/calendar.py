"""A working calendar: time zone, hours of each weekday, dated exceptions, and the date up to which they are published."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.procedures.calendars.public_schedules import find_schedule

MinuteInterval = tuple[int, int]
"""Start (inclusive) and end (exclusive) in minutes of the day on which it begins; 1440 is 24:00, a later end lies on the next day."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OFFICE_HOURS: Final[tuple[MinuteInterval, ...]] = ((9 * 60, 12 * 60), (13 * 60, 18 * 60))
_SATURDAY: Final = 5
_ONE_DAY: Final = timedelta(days=1)
_CALENDAR_KEYS: Final = ("id", "version", "zone", "hours", "schedule", "published_until", "days", "statutory_days")
_MINUTES_PER_DAY: Final = 24 * 60
_LONGEST_VERSION: Final = 64
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_INTERVAL = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")


class CalendarError(ValueError):
    """A calendar that cannot be used; the message names the field, the rule and the remedy."""


# Compared by identity and referenced weakly: sla caches the working time of each calendar as long as the calendar exists.
@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Calendar:
    """Working time of an organisation or department.

    `days` holds the hours of each exception, none for a day off. `statutory_days` are the days off that the law names; they count only
    after `published_until`, because the notice of a year names all its days off.
    """

    id: str
    version: str
    zone: ZoneInfo
    hours: tuple[tuple[MinuteInterval, ...], ...]
    days: Mapping[date, tuple[MinuteInterval, ...]] = field(default_factory=dict)
    published_until: date | None = None
    statutory_days: frozenset[date] = frozenset()

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
        statutory_days = _parse_dates("statutory_days", data["statutory_days"]) if "statutory_days" in data else public.statutory_days
        calendar = cls(
            id=_required_name(data, "id"),
            version=_required_version(data),
            zone=_parse_zone(data.get("zone", "Asia/Shanghai")),
            hours=hours,
            days={day: _exception_hours(day, changes[day], hours) for day in sorted(changes)},
            published_until=until,
            statutory_days=frozenset(day for day in statutory_days if until is not None and day > until),
        )
        _check_nights(calendar)
        return calendar

    @property
    def version_parts(self) -> tuple[int, ...]:
        """The numbers of the version; the tuple of a newer version is the greater one."""
        return version_parts(self.version)

    def intervals_on(self, day: date) -> tuple[MinuteInterval, ...]:
        """The working intervals of a date: those of its exception, none on a statutory day off, else those of its weekday."""
        exception = self.days.get(day)
        if exception is not None:
            return exception
        return () if day in self.statutory_days else self.hours[day.weekday()]

    def is_published(self, day: date) -> bool:
        """Whether the schedule of a date is published, or the calendar itself has an entry for it."""
        return self.published_until is None or day <= self.published_until or day in self.days


@cache
def default_calendar() -> Calendar:
    """The default calendar: the Chinese public schedule, Monday to Friday 09:00-12:00 and 13:00-18:00, Asia/Shanghai."""
    return Calendar.parse({"id": "china", "version": "2026.1"})


def version_parts(version: str) -> tuple[int, ...]:
    """The numbers of a calendar's version, compared part by part: `2026.10` is newer than `2026.2`, and that than `2026`."""
    return tuple(map(int, version.split(".")))


def format_interval(interval: MinuteInterval) -> str:
    """An interval as `Calendar.parse` reads it: `09:00-12:00`, over midnight `22:00-06:00`."""
    start, end = interval
    if end > _MINUTES_PER_DAY:
        end -= _MINUTES_PER_DAY
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"


def _required_name(data: Mapping[str, object], key: str) -> str:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise CalendarError(f"calendar {key} {value!r}: must be a name; write for example {key}: main")
    return str(value)


def _required_version(data: Mapping[str, object]) -> str:
    value = data.get("version")
    if isinstance(value, float):  # YAML reads 2026.10 as the number 2026.1
        raise CalendarError('calendar version: a number with a dot loses its last zeros; put it in quotes, such as version: "2026.1"')
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    # Recounts compare versions: the older of two processes must not count the cases of the newer one again.
    if len(text) > _LONGEST_VERSION or _VERSION.fullmatch(text) is None:
        raise CalendarError('calendar version: must be numbers with dots, so that a newer one is known; write version: "2026.1"')
    return text


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
    is_time_of_day = int(match[2]) < 60 and int(match[4]) < 60 and start < _MINUTES_PER_DAY >= end  # noqa: PLR2004 - minutes of an hour
    if not is_time_of_day or start == end:
        raise CalendarError(f"calendar {field_name} {value!r}: must be two different times from 00:00 to 24:00; write 09:00-12:00")
    return start, end if end > start else end + _MINUTES_PER_DAY


def _parse_date(field_name: str, value: object) -> date:
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise CalendarError(f"calendar {field_name} {value!r}: is not a date; write 2027-02-06") from None


def _parse_dates(field_name: str, value: object) -> frozenset[date]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise CalendarError(f"calendar {field_name}: must be a list of dates; write [2027-01-01]")
    return frozenset(_parse_date(field_name, day) for day in value)


def _check_nights(calendar: Calendar) -> None:
    """Raise `CalendarError` if an interval over midnight reaches into the first interval of the next day."""
    week = zip(WEEKDAYS, calendar.hours, (*calendar.hours[1:], calendar.hours[0]), strict=True)
    for name, intervals, next_intervals in week:
        _check_night(f"hours {name}", intervals, next_intervals)
    for day in calendar.days:
        if day > date.min:
            _check_night(f"days {day - _ONE_DAY}", calendar.intervals_on(day - _ONE_DAY), calendar.intervals_on(day))
        if day < date.max:
            _check_night(f"days {day}", calendar.intervals_on(day), calendar.intervals_on(day + _ONE_DAY))


def _check_night(field_name: str, intervals: tuple[MinuteInterval, ...], next_intervals: tuple[MinuteInterval, ...]) -> None:
    if intervals and next_intervals and intervals[-1][1] - _MINUTES_PER_DAY > next_intervals[0][0]:
        raise CalendarError(
            f"calendar {field_name}: the last interval reaches into the next day's first one; end it before that one begins"
        )


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
