"""Computes the occurrences of a repeating clock, and the start of the week, month, quarter or year of an instant."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.sla.domain.deadlines.calendar_pieces import AnyCalendar, count_duration
from services.sla.domain.deadlines.counting import CountedDue, DeadlineError
from services.sla.domain.deadlines.deadline import TimeLimit
from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.model.duration import Duration, DurationError


@dataclass(frozen=True, slots=True)
class RepeatOccurrence:
    """One firing of a repeating clock: occurrences that roll to the same instant fire once.

    `number` is that of the first of them, counted from 1, `merged_count` how many they are; `due` is in UTC microseconds, `nominal`
    the last counted day of the first.
    """

    number: int
    merged_count: int
    due: int
    nominal: int | None
    provisional: bool


def nth_occurrence(calendar: AnyCalendar, limit: TimeLimit, number: int) -> CountedDue:
    """Count `number` times the duration from the start, so that rolling and late processing do not shift later occurrences.

    Raises DeadlineError beyond the calendar and DurationError for a duration that does not repeat.
    """
    return count_duration(calendar, limit.start, limit.duration.times(number), limit.rule, limit.pauses)


def next_occurrence(calendar: AnyCalendar, limit: TimeLimit, after: int | None = None) -> RepeatOccurrence | None:
    """Return the first firing later than `after`, or the first of all; None while an open pause holds it."""
    number = 1 if after is None else _first_number_after(calendar, limit, after)
    due, nominal, is_provisional = nth_occurrence(calendar, limit, number)
    if due is None:
        return None
    return RepeatOccurrence(
        number=number,
        merged_count=_first_number_after(calendar, limit, due, number) - number,
        due=due,
        nominal=nominal,
        provisional=is_provisional,
    )


def period_start(worktime: Worktime, every: Duration, at: int) -> int:
    """Return the first instant of the week (from Monday), month, quarter or year of an instant; raises DurationError."""
    day = worktime.date_of(worktime.day_of(at))
    match every.unit:
        case "w":
            first_day = worktime.date_of(worktime.day_of(at) - day.weekday())
        case "mo":
            first_day = day.replace(day=1)
        case "q":
            first_day = day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case "y":
            first_day = day.replace(month=1, day=1)
        case _:
            raise DurationError(f"every {every}: a duty is due every week, month, quarter or year; write 1w, 1mo, 1q or 1y")
    return worktime.midnight(first_day)


def align_to_period(worktime: Worktime, limit: TimeLimit) -> TimeLimit:
    """Return the limit of a duty: counted inclusively from the first day of its period; raises DurationError."""
    start = period_start(worktime, limit.duration, limit.start)
    return replace(limit, start=start, rule=replace(limit.rule, counting="inclusive"))


def _first_number_after(calendar: AnyCalendar, limit: TimeLimit, after: int, known_number: int = 0) -> int:
    """Return the first occurrence later than `after`, given that `known_number` is not.

    Due instants never decrease with the number, so doubling steps and a binary search find it.
    """
    low, step = known_number, 1
    while not _is_due_after(calendar, limit, low + step, after):
        low += step
        step *= 2
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        if _is_due_after(calendar, limit, middle, after):
            high = middle
        else:
            low = middle
    return high


def _is_due_after(calendar: AnyCalendar, limit: TimeLimit, number: int, after: int) -> bool:
    try:
        due, _, _ = nth_occurrence(calendar, limit, number)
    except DeadlineError:  # beyond the calendar's last day, so beyond `after`
        return True
    return due is None or due > after
