"""Counting a duration from a start instant to a due instant, on plain integers: the rules of the Civil Code, articles 200 to 204."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from services.sla.domain.deadlines.pauses import Pauses, blocking_pause
from services.sla.domain.deadlines.worktime import FIRST_DATE, LAST_DATE, Worktime
from shared.procedures.model.duration import Duration, Kind

CountedDue = tuple[int | None, int | None, bool]
"""Due instant (UTC microseconds; None while an open pause holds it), last day before rolling (index; None for h and wh), provisional."""


class DeadlineError(ValueError):
    """A deadline that cannot be counted; the text names the value, the rule and the remedy."""


@dataclass(frozen=True, slots=True)
class CountingRule:
    """How whole days are counted: whether the start day counts, whether a day off moves the end, and when a day ends."""

    counting: Literal["exclusive", "inclusive"] = "exclusive"
    roll: Literal["forward", "none"] = "forward"
    day_end: Literal["midnight", "close"] = "midnight"

    @classmethod
    def parse(cls, counting: object = "exclusive", roll: object = "forward", day_end: object = "midnight") -> CountingRule:
        """Read a rule as written; raises DeadlineError naming the value that is none."""
        for (name, allowed), given in zip(_ALLOWED_VALUES.items(), (counting, roll, day_end), strict=True):
            if given not in allowed:
                raise DeadlineError(f"{name} {given!r}: is not a rule; write {' or '.join(allowed)}")
        return cls(counting, roll, day_end)  # type: ignore[arg-type]


_ALLOWED_VALUES: Final = {"counting": ("exclusive", "inclusive"), "roll": ("forward", "none"), "day_end": ("midnight", "close")}

DEFAULT_COUNTING_RULE: Final = CountingRule()
_BLOCKED_BY_PAUSE: Final[CountedDue] = (None, None, False)


def add_duration(
    worktime: Worktime, start: int, duration: Duration, rule: CountingRule = DEFAULT_COUNTING_RULE, pauses: Pauses = ()
) -> CountedDue:
    """Count a duration from `start` (UTC microseconds); raises DeadlineError outside the tables and for `date`, which is not counted."""
    if not worktime.start <= start < worktime.end:
        raise DeadlineError(f"start: must lie between {FIRST_DATE} and {LAST_DATE}, where the tables begin and end; give such an instant")
    try:
        return _DUE_BY_KIND[duration.kind](worktime, start, duration, rule, pauses)
    except IndexError:  # a table's end
        raise DeadlineError(f"duration {duration}: reaches beyond {LAST_DATE}, where the tables end; give a shorter one") from None


def _clock_due(worktime: Worktime, start: int, duration: Duration, _rule: CountingRule, pauses: Pauses) -> CountedDue:
    due = add_clock_time(start, duration.size, pauses)
    if due is not None and due > worktime.end:
        raise IndexError(due)
    return due, None, False


def add_clock_time(start: int, amount: int, pauses: Pauses) -> int | None:
    """Give the instant at which that much unpaused time has passed since `start`; None while an open pause holds it."""
    due = start + amount
    for begun, ended in pauses:
        if begun >= due:
            break
        if ended is None:
            return None
        if ended > start:
            due += ended - max(begun, start)
    return due


def _working_due(worktime: Worktime, start: int, duration: Duration, _rule: CountingRule, pauses: Pauses) -> CountedDue:
    due = add_working_time(worktime, start, duration.size, pauses)
    return due, None, due is not None and _has_unpublished_day_until(worktime, start, due)


def _fraction_due(worktime: Worktime, start: int, duration: Duration, _rule: CountingRule, pauses: Pauses) -> CountedDue:
    due = add_working_time(worktime, start, fraction_of_working_day(worktime, start, duration), pauses)
    return due, None, due is not None and _has_unpublished_day_until(worktime, start, due)


def fraction_of_working_day(worktime: Worktime, start: int, duration: Duration) -> int:
    """Give the working time (microseconds) that a fraction of a working day stands for, at a start."""
    return -(-worktime.work_day_lengths[first_open_rank(worktime, start)] * duration.size // duration.parts)


def add_working_time(worktime: Worktime, start: int, amount: int, pauses: Pauses) -> int | None:
    """Give the earliest instant at which that much unpaused working time has passed since `start`; None while an open pause holds it."""
    total = worktime.worked_until(start) + amount
    for begun, ended in pauses:
        if ended is not None and ended <= start:
            continue
        before = worktime.worked_until(max(begun, start))
        if before >= total:
            break
        if ended is None:
            return None
        total += worktime.worked_until(ended) - before
    return worktime.earliest_instant(total)


def _has_unpublished_day_until(worktime: Worktime, start: int, due: int) -> bool:
    last = worktime.day_of(due - 1)  # time used up at 24:00 was used up on the day before
    return last > worktime.last_published_day and worktime.has_unpublished_day(worktime.day_of(start), last)


def first_open_rank(worktime: Worktime, start: int) -> int:
    """Give the rank of the first working day whose close lies after `start`."""
    day = worktime.day_of(start)
    rank = worktime.work_days_before[day]
    return rank + 1 if worktime.work_days[rank] == day and start >= worktime.work_day_closes[rank] else rank


def _working_days_due(worktime: Worktime, start: int, duration: Duration, rule: CountingRule, pauses: Pauses) -> CountedDue:
    day = worktime.day_of(start)
    closes = worktime.work_day_closes
    if rule.counting == "exclusive":
        day += 1
        first = worktime.work_days_before[day]
    else:
        first = first_open_rank(worktime, start)
    rank = first + duration.size - 1
    for begun, ended in pauses:
        if closes[rank] <= begun:
            break
        if ended is None:
            return _BLOCKED_BY_PAUSE
        rank += max(0, bisect_right(closes, ended) - max(first, bisect_right(closes, begun)))
    last = worktime.work_days[rank]
    return closes[rank], last, last > worktime.last_published_day and worktime.has_unpublished_day(day, last)


def first_counted_day(worktime: Worktime, start: int, rule: CountingRule) -> int:
    """Give the day (an index) that counts as the first of a count by calendar days."""
    day = worktime.day_of(start)
    if rule.counting == "exclusive":
        return day + 1
    late = rule.day_end == "close" and start >= worktime.day_closes[day]
    return day + 1 if late else day


def _days_due(worktime: Worktime, start: int, duration: Duration, rule: CountingRule, pauses: Pauses) -> CountedDue:
    first = first_counted_day(worktime, start, rule)
    return _due_after_days(worktime, (start, first, first + duration.size - 1), rule, pauses)


def _months_due(worktime: Worktime, start: int, duration: Duration, rule: CountingRule, pauses: Pauses) -> CountedDue:
    first = first_counted_day(worktime, start, rule)
    return _due_after_days(worktime, (start, first, last_day_of_months(worktime, first, duration.size, rule)), rule, pauses)


def last_day_of_months(worktime: Worktime, first_day: int, months: int, rule: CountingRule) -> int:
    """Give the last day of months counted from the first day that counts: the same day of the month, or its last (article 202)."""
    inclusive = rule.counting == "inclusive"
    base = first_day if inclusive else first_day - 1
    month, begins = worktime.month_of_day[base], worktime.month_first_days
    target, passed = begins[month + months], base - begins[month]
    length = begins[month + months + 1] - target
    if passed >= length:
        return target + length - 1
    return target + passed - inclusive


def _due_after_days(worktime: Worktime, span: tuple[int, int, int], rule: CountingRule, pauses: Pauses) -> CountedDue:
    """Give the end of the last of some days; `span` is the start instant, the first and the last day when nothing is paused."""
    start, first, last = span
    ends = worktime.day_ends if rule.day_end == "midnight" else worktime.day_closes
    for begun, ended in pauses:
        if ends[last] <= begun:
            break
        if ended is None:
            return _BLOCKED_BY_PAUSE
        last += max(0, bisect_right(ends, ended) - max(first, bisect_right(ends, begun)))
    moved = last if rule.roll == "none" else roll_forward(worktime, last, ends, pauses)
    if moved is None:
        return None, last, False
    return ends[moved], last, moved > worktime.last_published_day and _is_provisional(worktime, start, (first, last, moved), rule)


def roll_forward(worktime: Worktime, last_day: int, day_ends: list[int], pauses: Pauses) -> int | None:
    """Give the working day to which a last day moves: itself, or the next at whose end the clock is not paused (None: paused for good)."""
    rank = worktime.work_days_before[last_day]
    day = worktime.work_days[rank]
    while pauses and day != last_day and (pause := blocking_pause(pauses, day_ends[day])):
        if pause[1] is None:
            return None
        rank += 1
        day = worktime.work_days[rank]
    return day


def _is_provisional(worktime: Worktime, start: int, days: tuple[int, int, int], rule: CountingRule) -> bool:
    """Say whether a day after the horizon was judged: the last and those it rolls over; with `day_end: close` all that were counted."""
    first, last, moved = days
    if rule.day_end == "close":
        return worktime.has_unpublished_day(worktime.day_of(start) if rule.counting == "inclusive" else first, moved)
    return rule.roll == "forward" and worktime.has_unpublished_day(last, moved)


def _same_day_due(worktime: Worktime, start: int, _duration: Duration, _rule: CountingRule, _pauses: Pauses) -> CountedDue:
    day = worktime.day_of(start)
    return worktime.day_ends[day], day, False


def _same_working_day_due(worktime: Worktime, start: int, _duration: Duration, _rule: CountingRule, _pauses: Pauses) -> CountedDue:
    rank = first_open_rank(worktime, start)
    last = worktime.work_days[rank]
    return (
        worktime.work_day_closes[rank],
        last,
        last > worktime.last_published_day and worktime.has_unpublished_day(worktime.day_of(start), last),
    )


def _date_due(_worktime: Worktime, _start: int, _duration: Duration, _rule: CountingRule, _pauses: Pauses) -> CountedDue:
    raise DeadlineError("duration date: <fact>: is an instant, which is not counted; give the fact's value")


_DUE_BY_KIND: Final[Mapping[Kind, Callable[[Worktime, int, Duration, CountingRule, Pauses], CountedDue]]] = {
    "clock": _clock_due,
    "working": _working_due,
    "part": _fraction_due,
    "working_days": _working_days_due,
    "days": _days_due,
    "months": _months_due,
    "same_day": _same_day_due,
    "same_working_day": _same_working_day_due,
    "date": _date_due,
}
