"""Clocks that fire again and again: the occurrences of a repeat, and the periods of a procedure's own clocks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.sla.domain.deadlines.counting import CountedDue, DeadlineError, add_duration
from services.sla.domain.deadlines.deadline import TimeLimit
from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.model.duration import Duration, DurationError


@dataclass(frozen=True, slots=True)
class RepeatOccurrence:
    """One firing: the number of its first occurrence (from 1), how many roll to the same instant, due (UTC microseconds), provisional."""

    number: int
    merged_count: int
    due: int
    nominal: int | None
    provisional: bool


def nth_occurrence(worktime: Worktime, limit: TimeLimit, number: int) -> CountedDue:
    """Count the `number`-th occurrence of a limit that repeats: its nominal day is that many times the duration from the start."""
    return add_duration(worktime, limit.start, limit.duration.times(number), limit.rule, limit.pauses)


def next_occurrence(worktime: Worktime, limit: TimeLimit, after: int | None = None) -> RepeatOccurrence | None:
    """Give the first firing that lies after an instant (None: the very first); None while an open pause holds it back."""
    number = 1 if after is None else _first_number_after(worktime, limit, after)
    due, nominal, provisional = nth_occurrence(worktime, limit, number)
    if due is None:
        return None
    return RepeatOccurrence(number, _first_number_after(worktime, limit, due, number) - number, due, nominal, provisional)


def period_start(worktime: Worktime, every: Duration, at: int) -> int:
    """Give the instant at which the week (from Monday), month, quarter or year of an instant begins; raises DurationError."""
    day = worktime.date_of(worktime.day_of(at))
    match every.unit:
        case "w":
            first = worktime.date_of(worktime.day_of(at) - day.weekday())
        case "mo":
            first = day.replace(day=1)
        case "q":
            first = day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case "y":
            first = day.replace(month=1, day=1)
        case _:
            raise DurationError(f"every {every}: a procedure's own clock runs by the week, month, quarter or year; write 1w, 1mo, 1q or 1y")
    return worktime.midnight(first)


def align_to_period(worktime: Worktime, limit: TimeLimit) -> TimeLimit:
    """Give a procedure's own repeating clock as a limit: from the first day of its period, inclusive."""
    start = period_start(worktime, limit.duration, limit.start)
    return replace(limit, start=start, rule=replace(limit.rule, counting="inclusive"))


def _first_number_after(worktime: Worktime, limit: TimeLimit, after: int, known: int = 0) -> int:
    """Find the first number whose instant lies after `after`; the instants never go back, so halving finds it."""
    low, step = known, 1
    while not _is_due_after(worktime, limit, low + step, after):
        low += step
        step *= 2
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        if _is_due_after(worktime, limit, middle, after):
            high = middle
        else:
            low = middle
    return high


def _is_due_after(worktime: Worktime, limit: TimeLimit, number: int, after: int) -> bool:
    try:
        due = nth_occurrence(worktime, limit, number)[0]
    except DeadlineError:  # beyond the tables, so beyond `after`
        return True
    return due is None or due > after
