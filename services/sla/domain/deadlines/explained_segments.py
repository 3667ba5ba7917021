"""The values of which explanations of deadlines consist: instants, amounts of time, reasons of days."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.calendars.calendar import format_interval

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


def hours_of_exception(worktime: Worktime, day: int) -> Explanation:
    """Return `hours` of a day that is worked, but not during its weekday's hours, such as a half day; empty for other days."""
    day_date, calendar = worktime.date_of(day), worktime.calendar
    intervals = calendar.days.get(day_date, ())
    # A make-up day is worked during Monday's hours, which its reason already tells.
    usual = (calendar.hours[day_date.weekday()], calendar.hours[0] if day_date.weekday() >= _SATURDAY else ())
    return {} if not intervals or intervals in usual else {"hours": [format_interval(interval) for interval in intervals]}


def days_off(worktime: Worktime, start: int, end: int) -> list[Explanation]:
    """Return the days without working time between two instants, each with its reason."""
    days = range(worktime.shift_day_of(start), worktime.shift_day_of(end) + 1)
    return [{"day": str(worktime.date_of(day)), "because": day_reason(worktime, day)} for day in days if not worktime.is_working_day(day)]


def seconds(micros: int) -> float:
    """Convert microseconds to seconds; a whole number becomes an int, so that JSON shows no fraction."""
    whole, rest = divmod(micros, _MICROS_PER_SECOND)
    return whole if rest == 0 else micros / _MICROS_PER_SECOND
