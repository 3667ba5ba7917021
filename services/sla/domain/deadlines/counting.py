"""Counting a duration from a start instant to a due instant, on plain integers: the rules of the Civil Code, articles 200 to 204."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from services.sla.domain.deadlines.pauses import Pauses, holds
from services.sla.domain.deadlines.worktime import FIRST_DATE, LAST_DATE, Worktime
from shared.procedures.model.duration import Duration, Kind

Reached = tuple[int | None, int | None, bool]
"""Due instant (UTC microseconds; None while an open pause holds it), last day before rolling (index; None for h and wh), provisional."""


class DeadlineError(ValueError):
    """A deadline that cannot be counted; the text names the value, the rule and the remedy."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How whole days are counted: whether the start day counts, whether a day off moves the end, and when a day ends."""

    counting: Literal["exclusive", "inclusive"] = "exclusive"
    roll: Literal["forward", "none"] = "forward"
    day_end: Literal["midnight", "close"] = "midnight"

    @classmethod
    def of(cls, counting: object = "exclusive", roll: object = "forward", day_end: object = "midnight") -> Rule:
        """Read a rule as written; raises DeadlineError naming the value that is none."""
        for (name, allowed), given in zip(_CHOICES.items(), (counting, roll, day_end), strict=True):
            if given not in allowed:
                raise DeadlineError(f"{name} {given!r}: is not a rule; write {' or '.join(allowed)}")
        return cls(counting, roll, day_end)  # type: ignore[arg-type]


_CHOICES: Final = {"counting": ("exclusive", "inclusive"), "roll": ("forward", "none"), "day_end": ("midnight", "close")}

DEFAULT: Final = Rule()
_HELD: Final[Reached] = (None, None, False)


def reach(worktime: Worktime, start: int, duration: Duration, rule: Rule = DEFAULT, pauses: Pauses = ()) -> Reached:
    """Count a duration from `start` (UTC microseconds); raises DeadlineError outside the tables and for `date`, which is not counted."""
    if not worktime.start <= start < worktime.latest:
        raise DeadlineError(f"start: must lie between {FIRST_DATE} and {LAST_DATE}, where the tables begin and end; give such an instant")
    try:
        return _COUNTS[duration.kind](worktime, start, duration, rule, pauses)
    except IndexError:  # a table's end
        raise DeadlineError(f"duration {duration}: reaches beyond {LAST_DATE}, where the tables end; give a shorter one") from None


def _clock(worktime: Worktime, start: int, duration: Duration, _rule: Rule, pauses: Pauses) -> Reached:
    due = pass_by(start, duration.size, pauses)
    if due is not None and due > worktime.latest:
        raise IndexError(due)
    return due, None, False


def pass_by(start: int, amount: int, pauses: Pauses) -> int | None:
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


def _working(worktime: Worktime, start: int, duration: Duration, _rule: Rule, pauses: Pauses) -> Reached:
    due = spend(worktime, start, duration.size, pauses)
    return due, None, due is not None and _reaches_unknown(worktime, start, due)


def _part(worktime: Worktime, start: int, duration: Duration, _rule: Rule, pauses: Pauses) -> Reached:
    due = spend(worktime, start, part_of_day(worktime, start, duration), pauses)
    return due, None, due is not None and _reaches_unknown(worktime, start, due)


def part_of_day(worktime: Worktime, start: int, duration: Duration) -> int:
    """Give the working time (microseconds) that a fraction of a working day stands for, at a start."""
    return -(-worktime.hours[first_open(worktime, start)] * duration.size // duration.parts)


def spend(worktime: Worktime, start: int, amount: int, pauses: Pauses) -> int | None:
    """Give the earliest instant at which that much unpaused working time has passed since `start`; None while an open pause holds it."""
    total = worktime.worked(start) + amount
    for begun, ended in pauses:
        if ended is not None and ended <= start:
            continue
        before = worktime.worked(max(begun, start))
        if before >= total:
            break
        if ended is None:
            return None
        total += worktime.worked(ended) - before
    return worktime.spent(total)


def _reaches_unknown(worktime: Worktime, start: int, due: int) -> bool:
    last = worktime.day(due - 1)  # time used up at 24:00 was used up on the day before
    return last > worktime.horizon and worktime.unknown(worktime.day(start), last)


def first_open(worktime: Worktime, start: int) -> int:
    """Give the rank of the first working day whose close lies after `start`."""
    day = worktime.day(start)
    rank = worktime.before[day]
    return rank + 1 if worktime.work_days[rank] == day and start >= worktime.closes[rank] else rank


def _working_days(worktime: Worktime, start: int, duration: Duration, rule: Rule, pauses: Pauses) -> Reached:
    day = worktime.day(start)
    closes = worktime.closes
    if rule.counting == "exclusive":
        day += 1
        first = worktime.before[day]
    else:
        first = first_open(worktime, start)
    rank = first + duration.size - 1
    for begun, ended in pauses:
        if closes[rank] <= begun:
            break
        if ended is None:
            return _HELD
        rank += max(0, bisect_right(closes, ended) - max(first, bisect_right(closes, begun)))
    last = worktime.work_days[rank]
    return closes[rank], last, last > worktime.horizon and worktime.unknown(day, last)


def first_day(worktime: Worktime, start: int, rule: Rule) -> int:
    """Give the day (an index) that counts as the first of a count by calendar days."""
    day = worktime.day(start)
    if rule.counting == "exclusive":
        return day + 1
    late = rule.day_end == "close" and start >= worktime.dated_closes[day]
    return day + 1 if late else day


def _days(worktime: Worktime, start: int, duration: Duration, rule: Rule, pauses: Pauses) -> Reached:
    first = first_day(worktime, start, rule)
    return _end_days(worktime, (start, first, first + duration.size - 1), rule, pauses)


def _months(worktime: Worktime, start: int, duration: Duration, rule: Rule, pauses: Pauses) -> Reached:
    first = first_day(worktime, start, rule)
    return _end_days(worktime, (start, first, last_of_months(worktime, first, duration.size, rule)), rule, pauses)


def last_of_months(worktime: Worktime, first: int, months: int, rule: Rule) -> int:
    """Give the last day of months counted from the first day that counts: the same day of the month, or its last (article 202)."""
    inclusive = rule.counting == "inclusive"
    base = first if inclusive else first - 1
    month, begins = worktime.months[base], worktime.month_begins
    target, passed = begins[month + months], base - begins[month]
    length = begins[month + months + 1] - target
    if passed >= length:
        return target + length - 1
    return target + passed - inclusive


def _end_days(worktime: Worktime, span: tuple[int, int, int], rule: Rule, pauses: Pauses) -> Reached:
    """Give the end of the last of some days; `span` is the start instant, the first and the last day when nothing is paused."""
    start, first, last = span
    ends = worktime.day_ends if rule.day_end == "midnight" else worktime.dated_closes
    for begun, ended in pauses:
        if ends[last] <= begun:
            break
        if ended is None:
            return _HELD
        last += max(0, bisect_right(ends, ended) - max(first, bisect_right(ends, begun)))
    moved = last if rule.roll == "none" else rolled(worktime, last, ends, pauses)
    if moved is None:
        return None, last, False
    return ends[moved], last, moved > worktime.horizon and _guessed(worktime, start, (first, last, moved), rule)


def rolled(worktime: Worktime, last: int, ends: list[int], pauses: Pauses) -> int | None:
    """Give the working day to which a last day moves: itself, or the next at whose end the clock is not paused (None: paused for good)."""
    rank = worktime.before[last]
    day = worktime.work_days[rank]
    while pauses and day != last and (pause := holds(pauses, ends[day])):
        if pause[1] is None:
            return None
        rank += 1
        day = worktime.work_days[rank]
    return day


def _guessed(worktime: Worktime, start: int, days: tuple[int, int, int], rule: Rule) -> bool:
    """Say whether a day after the horizon was judged: the last and those it rolls over; with `day_end: close` all that were counted."""
    first, last, moved = days
    if rule.day_end == "close":
        return worktime.unknown(worktime.day(start) if rule.counting == "inclusive" else first, moved)
    return rule.roll == "forward" and worktime.unknown(last, moved)


def _same_day(worktime: Worktime, start: int, _duration: Duration, _rule: Rule, _pauses: Pauses) -> Reached:
    day = worktime.day(start)
    return worktime.day_ends[day], day, False


def _same_working_day(worktime: Worktime, start: int, _duration: Duration, _rule: Rule, _pauses: Pauses) -> Reached:
    rank = first_open(worktime, start)
    last = worktime.work_days[rank]
    return worktime.closes[rank], last, last > worktime.horizon and worktime.unknown(worktime.day(start), last)


def _date(_worktime: Worktime, _start: int, _duration: Duration, _rule: Rule, _pauses: Pauses) -> Reached:
    raise DeadlineError("duration date: <fact>: is an instant, which is not counted; give the fact's value")


_COUNTS: Final[Mapping[Kind, Callable[[Worktime, int, Duration, Rule, Pauses], Reached]]] = {
    "clock": _clock,
    "working": _working,
    "part": _part,
    "working_days": _working_days,
    "days": _days,
    "months": _months,
    "same_day": _same_day,
    "same_working_day": _same_working_day,
    "date": _date,
}
