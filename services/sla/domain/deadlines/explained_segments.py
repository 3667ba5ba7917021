"""The values of which explanations of deadlines consist: instants, amounts of time, reasons of days."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from services.sla.domain.deadlines.worktime import Worktime

Explanation = dict[str, Any]
"""JSON-ready data: instants as ISO 8601 in the calendar's zone, amounts in the unit under `unit`."""

_SATURDAY: Final = 5
_MICROS_PER_SECOND: Final = 1_000_000


def format_instant(worktime: Worktime, at: int) -> str:
    """Format UTC microseconds as ISO 8601 in the calendar's zone."""
    return worktime.to_datetime(at).isoformat()


def working_intervals(worktime: Worktime, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the working intervals between two instants, cut to them."""
    index = worktime.interval_at(start)
    while index < len(worktime.interval_starts) and worktime.interval_starts[index] < end:
        opening, closing = max(start, worktime.interval_starts[index]), min(end, worktime.interval_ends[index])
        if opening < closing:
            yield opening, closing
        index += 1


def day_reason(worktime: Worktime, day: int) -> str:
    """Return why a day is worked or not."""
    day_date = worktime.date_of(day)
    calendar, is_weekend = worktime.calendar, day_date.weekday() >= _SATURDAY
    is_exception = day_date in calendar.days or day_date in calendar.statutory_days
    if worktime.is_working_day(day):
        return "make_up_day" if is_exception and is_weekend else "working_day"
    return "day_off" if is_exception or not is_weekend else "weekend"


def seconds(micros: int) -> float:
    """Convert microseconds to seconds; a whole number becomes an int, so that JSON shows no fraction."""
    whole, rest = divmod(micros, _MICROS_PER_SECOND)
    return whole if rest == 0 else micros / _MICROS_PER_SECOND
