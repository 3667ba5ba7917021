"""Counts a time limit by the calendars of the departments that lead a case one after the other, piece by piece."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from services.sla.domain.deadlines.counting import (
    DEFAULT_COUNTING_RULE,
    HELD_BY_PAUSE,
    CountedDue,
    CountingRule,
    DeadlineError,
    add_duration,
    add_working_time,
    first_counted_day,
    fraction_of_working_day,
    has_unpublished_day_until,
    last_day_of_months,
)
from services.sla.domain.deadlines.pauses import Pauses, blocking_pause
from services.sla.domain.deadlines.worktime import Worktime
from shared.contracts.instants import LAST_DATE
from shared.procedures.model.duration import Duration

_END_OF_TIME: Final = 2**62
WORKING_DAY_KINDS: Final = ("working_days", "same_working_day")


class CalendarPiece(NamedTuple):
    """A calendar that counts after `start` up to and including `end`."""

    # What is used up at the very instant of a change is used up before it: due items come before a change (time.md, equal instants).
    start: int
    end: int
    worktime: Worktime


class DayEnd(NamedTuple):
    """The end of one day, in the calendar that counts at that instant."""

    day: int
    end: int
    worktime: Worktime


class CalendarPieces:
    """Calendars that count one after the other; offers the working time of all of them like `Worktime`, on a single scale."""

    __slots__ = ("_ends", "_worked_before", "end", "first", "pieces", "start")

    def __init__(self, first: Worktime, changes: Sequence[tuple[int, Worktime]]) -> None:
        """Count by `first` until the first change, and from the instant of each change by its calendar; changes come in order."""
        self.first = first
        worktimes = [first, *(worktime for _, worktime in changes)]
        self.start = max(worktime.start for worktime in worktimes)
        self.end = min(worktime.end for worktime in worktimes)
        instants = [self.start, *(at for at, _ in changes), _END_OF_TIME]
        self.pieces = [CalendarPiece(start, end, each) for (start, end), each in zip(pairwise(instants), worktimes, strict=True)]
        self._ends = [piece.end for piece in self.pieces]
        self._worked_before = [0]
        for piece in self.pieces[:-1]:
            self._worked_before.append(self._worked_before[-1] + _worked_between(piece, piece.end))

    def worktime_at(self, at: int) -> Worktime:
        """Return the calendar that counts from an instant on."""
        return self.pieces[bisect_right(self._ends, at)].worktime

    def worked_until(self, at: int) -> int:
        """Return the working time up to an instant, in microseconds."""
        index = bisect_left(self._ends, at)
        return self._worked_before[index] + _worked_between(self.pieces[index], at)

    def earliest_instant(self, worked: int) -> int:
        """Return the first instant by which `worked` microseconds have passed."""
        index = max(0, bisect_left(self._worked_before, worked) - 1)
        return self.pieces[index].worktime.earliest_instant(self._on_scale_of(index, worked))

    def latest_instant(self, worked: int) -> int:
        """Return the last instant by which no more than `worked` microseconds have passed."""
        index = bisect_right(self._worked_before, worked) - 1
        return self.pieces[index].worktime.latest_instant(self._on_scale_of(index, worked))

    def between(self, start: int, end: int) -> Iterator[CalendarPiece]:
        """Yield the pieces between two instants, cut to them."""
        for piece in self.pieces:
            cut = CalendarPiece(max(start, piece.start), min(end, piece.end), piece.worktime)
            if cut.start < cut.end:
                yield cut

    def day_ends_after(self, start: int, rule: CountingRule, *, working_days: bool) -> Iterator[DayEnd]:
        """Yield the ends of days after an instant, each in the calendar that counts then; a change can repeat or omit a date."""
        for piece in self.between(start, _END_OF_TIME):
            worktime = piece.worktime
            if working_days:
                ends: Sequence[int] = worktime.work_day_closes
            else:
                ends = worktime.day_closes if rule.day_end == "close" else worktime.day_ends
            for index in range(bisect_right(ends, piece.start), bisect_right(ends, piece.end)):
                yield DayEnd(worktime.work_days[index] if working_days else index, ends[index], worktime)

    def _on_scale_of(self, index: int, worked: int) -> int:
        piece = self.pieces[index]
        return worked - self._worked_before[index] + piece.worktime.worked_until(piece.start)


AnyCalendar = Worktime | CalendarPieces
"""One calendar, or several that count one after the other."""


def calendar_with_changes(first: Worktime, changes: Sequence[tuple[int, Worktime]]) -> AnyCalendar:
    """Return the pieces, or the one calendar if no change leads to another."""
    effective: list[tuple[int, Worktime]] = []
    for at, worktime in changes:
        while effective and effective[-1][0] >= at:
            effective.pop()
        if worktime is not (effective[-1][1] if effective else first):
            effective.append((at, worktime))
    return CalendarPieces(first, effective) if effective else first


def count_duration(
    calendar: AnyCalendar, start: int, duration: Duration, rule: CountingRule = DEFAULT_COUNTING_RULE, pauses: Pauses = ()
) -> CountedDue:
    """Count a duration as `add_duration` does, by one calendar or piece by piece; raises DeadlineError."""
    if isinstance(calendar, Worktime):
        return add_duration(calendar, start, duration, rule, pauses)
    if duration.kind in ("clock", "date") or not calendar.start <= start < calendar.end:
        return add_duration(calendar.first, start, duration, rule, pauses)
    try:
        if duration.kind in ("working", "part"):
            return _count_working_time(calendar, start, working_time(calendar.worktime_at(start), start, duration), pauses)
        if duration.kind in WORKING_DAY_KINDS:
            return _count_working_days(calendar, start, duration, rule, pauses)
        return _count_days(calendar, start, duration, rule, pauses)
    except IndexError:  # a lookup beyond the last row of a table
        raise DeadlineError(f"duration {duration}: ends after {LAST_DATE}, the end of the calendar; give a shorter one") from None


def working_time(worktime: Worktime, start: int, duration: Duration) -> int:
    """Return the microseconds of working time of a duration; a part of a day takes the hours of the calendar at its start."""
    return fraction_of_working_day(worktime, start, duration) if duration.kind == "part" else duration.size


def counted_day_range(worktime: Worktime, start: int, duration: Duration, rule: CountingRule) -> tuple[int, int]:
    """Return the first day that may count, by the calendar at the start, and how many days count."""
    match duration.kind:
        case "same_working_day":
            return worktime.shift_day_of(start), 1
        case "working_days":
            return worktime.shift_day_of(start) + (rule.counting == "exclusive"), duration.size
        case "same_day":
            return worktime.day_of(start), 1
    first_day = first_counted_day(worktime, start, rule)
    if duration.kind == "months":
        return first_day, last_day_of_months(worktime, first_day, duration.size, rule) - first_day + 1
    return first_day, duration.size


def _worked_between(piece: CalendarPiece, at: int) -> int:
    return piece.worktime.worked_until(at) - piece.worktime.worked_until(piece.start)


def _count_working_time(calendar: CalendarPieces, start: int, amount: int, pauses: Pauses) -> CountedDue:
    due = add_working_time(calendar, start, amount, pauses)
    if due is None:
        return HELD_BY_PAUSE
    return due, None, any(has_unpublished_day_until(piece.worktime, piece.start, piece.end) for piece in calendar.between(start, due))


def _count_working_days(calendar: CalendarPieces, start: int, duration: Duration, rule: CountingRule, pauses: Pauses) -> CountedDue:
    first_day, remaining = counted_day_range(calendar.worktime_at(start), start, duration, rule)
    effective_pauses = pauses if duration.pausable else ()
    last = _last_counted_day(calendar.day_ends_after(start, rule, working_days=True), first_day, remaining, effective_pauses)
    if last is None:
        return HELD_BY_PAUSE
    is_provisional = any(
        piece.worktime.has_unpublished_day(
            max(first_day, piece.worktime.shift_day_of(piece.start)), min(last.day, piece.worktime.shift_day_of(piece.end - 1))
        )
        for piece in calendar.between(start, last.end)
    )
    return last.end, last.day, is_provisional


def _count_days(calendar: CalendarPieces, start: int, duration: Duration, rule: CountingRule, pauses: Pauses) -> CountedDue:
    if duration.kind == "same_day":
        rule, pauses = CountingRule(roll="none"), ()
    first_day, remaining = counted_day_range(calendar.worktime_at(start), start, duration, rule)
    ends = calendar.day_ends_after(start, rule, working_days=False)
    last = _last_counted_day(ends, first_day, remaining, pauses)
    if last is None:
        return HELD_BY_PAUSE
    rolled = last if rule.roll == "none" else _rolled_day(ends, last, pauses)
    if rolled is None:
        return None, last.day, False
    if rule.day_end == "close":
        judged_day = calendar.worktime_at(start).day_of(start) if rule.counting == "inclusive" else first_day
    elif rule.roll == "forward":
        judged_day = last.day
    else:
        return rolled.end, last.day, False
    is_provisional = any(
        piece.worktime.has_unpublished_day(
            max(judged_day, piece.worktime.day_of(piece.start)), min(rolled.day, piece.worktime.day_of(piece.end - 1))
        )
        for piece in calendar.between(start, rolled.end)
    )
    return rolled.end, last.day, is_provisional


def _last_counted_day(ends: Iterator[DayEnd], first_day: int, remaining: int, pauses: Pauses) -> DayEnd | None:
    """Return the day on which the count ends; None if an open pause holds it."""
    next_day = first_day  # a date that has counted does not count again in the hours of the next department (time.md, Whose calendar)
    for day_end in ends:
        if day_end.day < next_day:
            continue
        pause = blocking_pause(pauses, day_end.end)
        if pause is None:
            remaining, next_day = remaining - 1, day_end.day + 1
            if remaining == 0:
                return day_end
        elif pause[1] is None:
            return None
    raise IndexError(remaining)


def _rolled_day(ends: Iterator[DayEnd], last: DayEnd, pauses: Pauses) -> DayEnd | None:
    """Return the day, or the next working day at whose end the clock is not paused; None if an open pause holds it."""
    if last.worktime.is_working_day(last.day):
        return last
    for day_end in ends:
        if day_end.day <= last.day or not day_end.worktime.is_working_day(day_end.day):
            continue
        pause = blocking_pause(pauses, day_end.end)
        if pause is None:
            return day_end
        if pause[1] is None:
            return None
    raise IndexError(last.day)
