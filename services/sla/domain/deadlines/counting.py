"""Adds a duration to a start instant, on integers, by articles 200 to 204 of the Civil Code of China."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.sla.domain.deadlines.pauses import Pauses, blocking_pause
from services.sla.domain.deadlines.worktime import WorkingHours, Worktime
from shared.contracts.instants import FIRST_DATE, LAST_DATE
from shared.procedures.model.duration import Duration, DurationKind

CountedDue = tuple[int | None, int | None, bool]
"""Due instant (UTC microseconds; None while an open pause holds it), nominal day (None for clock and working time), provisional.

The nominal day is the last counted day before it rolls to a working day. This is a plain tuple because a NamedTuple takes 0.8 µs more
a deadline, over 1.0 µs for counting it (`measure_integers` of tests/bench/sla/deadlines.py).
"""


class DeadlineError(ValueError):
    """A deadline that cannot be computed; the text names the value, the rule and the remedy."""


_ALLOWED_VALUES: Final = {"counting": ("exclusive", "inclusive"), "roll": ("forward", "none"), "day_end": ("midnight", "close")}


@dataclass(frozen=True, slots=True)
class CountingRule:
    """How whole days are counted: whether the start day counts, whether a day off moves the end, and when a day ends.

    The defaults are those of the Civil Code: articles 201 (exclusive) and 203 (forward), with 24:00 as the end of a day.
    """

    counting: Literal["exclusive", "inclusive"] = "exclusive"
    roll: Literal["forward", "none"] = "forward"
    day_end: Literal["midnight", "close"] = "midnight"

    @classmethod
    def parse(cls, counting: object = "exclusive", roll: object = "forward", day_end: object = "midnight") -> CountingRule:
        """Check and build a rule; raises DeadlineError for a value that is not allowed."""
        for (name, allowed), value in zip(_ALLOWED_VALUES.items(), (counting, roll, day_end), strict=True):
            if value not in allowed:
                raise DeadlineError(f"{name} {value!r}: is not a rule; write {' or '.join(allowed)}")
        return cls(counting, roll, day_end)  # type: ignore[arg-type]


DEFAULT_COUNTING_RULE: Final = CountingRule()
HELD_BY_PAUSE: Final[CountedDue] = (None, None, False)


def add_duration(
    worktime: Worktime, start: int, duration: Duration, rule: CountingRule = DEFAULT_COUNTING_RULE, pauses: Pauses = ()
) -> CountedDue:
    """Count a duration from `start` (UTC microseconds).

    Raises DeadlineError if the start or the due instant lies outside the calendar's tables, and for `date`, which is not counted.
    """
    if not worktime.start <= start < worktime.end:
        raise DeadlineError(f"start: must lie between {FIRST_DATE} and {LAST_DATE}, the range of the calendar; give such an instant")
    try:
        return _COUNT_BY_KIND[duration.kind](worktime, start, duration, rule, pauses)
    except IndexError:  # a lookup beyond the last row of a table
        raise DeadlineError(f"duration {duration}: ends after {LAST_DATE}, the end of the calendar; give a shorter one") from None


def _count_clock_time(worktime: Worktime, start: int, duration: Duration, _rule: CountingRule, pauses: Pauses) -> CountedDue:
    due = add_clock_time(start, duration.size, pauses)
    if due is not None and due > worktime.end:
        raise IndexError(due)
    return due, None, False


def add_clock_time(start: int, amount: int, pauses: Pauses) -> int | None:
    """Return the instant at which `amount` microseconds have passed unpaused since `start`; None while an open pause holds it."""
    due = start + amount
    for pause_start, pause_end in pauses:
        if pause_start >= due:
            break
        if pause_end is None:
            return None
        if pause_end > start:
            due += pause_end - max(pause_start, start)
    return due


def _count_working_time(worktime: Worktime, start: int, duration: Duration, _rule: CountingRule, pauses: Pauses) -> CountedDue:
    due = add_working_time(worktime, start, duration.size, pauses)
    return due, None, due is not None and has_unpublished_day_until(worktime, start, due)


def _count_day_fraction(worktime: Worktime, start: int, duration: Duration, _rule: CountingRule, pauses: Pauses) -> CountedDue:
    due = add_working_time(worktime, start, fraction_of_working_day(worktime, start, duration), pauses)
    return due, None, due is not None and has_unpublished_day_until(worktime, start, due)


def fraction_of_working_day(worktime: Worktime, start: int, duration: Duration) -> int:
    """Return the microseconds of a fraction of the first working day that closes after `start`, rounded up."""
    day_length = worktime.work_day_lengths[first_open_rank(worktime, start)]
    return -(-day_length * duration.size // duration.denominator)


def add_working_time(worktime: WorkingHours, start: int, amount: int, pauses: Pauses) -> int | None:
    """Return the first instant by which `amount` microseconds were worked unpaused since `start`; None while an open pause holds it."""
    total = worktime.worked_until(start) + amount
    for pause_start, pause_end in pauses:
        if pause_end is not None and pause_end <= start:
            continue
        worked_before_pause = worktime.worked_until(max(pause_start, start))
        if worked_before_pause >= total:
            break
        if pause_end is None:
            return None
        total += worktime.worked_until(pause_end) - worked_before_pause
    return worktime.earliest_instant(total)


def has_unpublished_day_until(worktime: Worktime, start: int, due: int) -> bool:
    """Whether working time from `start` to `due` depends on a day without a published schedule."""
    last_day = worktime.shift_day_of(due - 1)  # an instant at a day's end belongs to the day that it ends
    return last_day > worktime.last_published_day and worktime.has_unpublished_day(worktime.shift_day_of(start), last_day)


def first_open_rank(worktime: Worktime, start: int) -> int:
    """Return the rank of the first working day that closes after `start`."""
    day = worktime.shift_day_of(start)
    rank = worktime.work_days_before[day]
    return rank + 1 if worktime.work_days[rank] == day and start >= worktime.work_day_closes[rank] else rank


def _count_working_days(worktime: Worktime, start: int, duration: Duration, rule: CountingRule, pauses: Pauses) -> CountedDue:
    day = worktime.shift_day_of(start)
    closes = worktime.work_day_closes
    if rule.counting == "exclusive":
        day += 1
        first_rank = worktime.work_days_before[day]
    else:
        first_rank = first_open_rank(worktime, start)
    rank = first_rank + duration.size - 1
    for pause_start, pause_end in pauses:
        # A pause that begins at a day's very end is too late to hold that day back, a resumption then too late to save it.
        if closes[rank] <= pause_start:
            break
        if pause_end is None:
            return HELD_BY_PAUSE
        rank += max(0, bisect_right(closes, pause_end) - max(first_rank, bisect_right(closes, pause_start)))
    last_day = worktime.work_days[rank]
    return closes[rank], last_day, last_day > worktime.last_published_day and worktime.has_unpublished_day(day, last_day)


def first_counted_day(worktime: Worktime, start: int, rule: CountingRule) -> int:
    """Return the first day of a count by calendar days, months or years."""
    day = worktime.day_of(start)
    if rule.counting == "exclusive":
        return day + 1
    is_after_close = rule.day_end == "close" and start >= worktime.day_closes[day]
    return day + 1 if is_after_close else day


def _count_days(worktime: Worktime, start: int, duration: Duration, rule: CountingRule, pauses: Pauses) -> CountedDue:
    first_day = first_counted_day(worktime, start, rule)
    return _end_of_days(worktime, start, first_day, first_day + duration.size - 1, rule, pauses)


def _count_months(worktime: Worktime, start: int, duration: Duration, rule: CountingRule, pauses: Pauses) -> CountedDue:
    first_day = first_counted_day(worktime, start, rule)
    return _end_of_days(worktime, start, first_day, last_day_of_months(worktime, first_day, duration.size, rule), rule, pauses)


def last_day_of_months(worktime: Worktime, first_day: int, months: int, rule: CountingRule) -> int:
    """Return the last day of a count by months: the same day of the month, or the month's last day (Civil Code, article 202).

    An inclusive count ends one day earlier, unless the month has no such day.
    """
    is_inclusive = rule.counting == "inclusive"
    base_day = first_day if is_inclusive else first_day - 1
    month, month_first_days = worktime.month_of_day[base_day], worktime.month_first_days
    target_first_day, day_of_month = month_first_days[month + months], base_day - month_first_days[month]
    target_length = month_first_days[month + months + 1] - target_first_day
    if day_of_month >= target_length:
        return target_first_day + target_length - 1
    return target_first_day + day_of_month - is_inclusive


def _end_of_days(worktime: Worktime, start: int, first_day: int, last_day: int, rule: CountingRule, pauses: Pauses) -> CountedDue:
    """Return the end of the days from `first_day` to `last_day`, prolonged by the days that a pause holds back, and rolled."""
    day_ends = worktime.day_ends if rule.day_end == "midnight" else worktime.day_closes
    for pause_start, pause_end in pauses:
        # As for working days: at a day's very end a pause comes too late.
        if day_ends[last_day] <= pause_start:
            break
        if pause_end is None:
            return HELD_BY_PAUSE
        last_day += max(0, bisect_right(day_ends, pause_end) - max(first_day, bisect_right(day_ends, pause_start)))
    rolled_day = last_day if rule.roll == "none" else roll_forward(worktime, last_day, day_ends, pauses)
    if rolled_day is None:
        return None, last_day, False
    is_provisional = rolled_day > worktime.last_published_day and _is_provisional(worktime, start, first_day, last_day, rolled_day, rule)
    return day_ends[rolled_day], last_day, is_provisional


def roll_forward(worktime: Worktime, last_day: int, day_ends: Sequence[int], pauses: Pauses) -> int | None:
    """Return the last day if it is a working day, else the next working day (Civil Code, article 203).

    Working days at whose end the clock is paused are passed over; None if an open pause holds them all back.
    """
    rank = worktime.work_days_before[last_day]
    day = worktime.work_days[rank]
    while pauses and day != last_day and (pause := blocking_pause(pauses, day_ends[day])):
        if pause[1] is None:
            return None
        rank += 1
        day = worktime.work_days[rank]
    return day


def _is_provisional(worktime: Worktime, start: int, first_day: int, last_day: int, rolled_day: int, rule: CountingRule) -> bool:
    # The hours of every counted day matter if days end at the close of business, else only those of the days that were rolled over.
    if rule.day_end == "close":
        return worktime.has_unpublished_day(worktime.day_of(start) if rule.counting == "inclusive" else first_day, rolled_day)
    return rule.roll == "forward" and worktime.has_unpublished_day(last_day, rolled_day)


# Neither these two nor a date can pause (docs/reference/time.md).
def _count_same_day(worktime: Worktime, start: int, _duration: Duration, _rule: CountingRule, _pauses: Pauses) -> CountedDue:
    day = worktime.day_of(start)
    return worktime.day_ends[day], day, False


def _count_same_working_day(worktime: Worktime, start: int, _duration: Duration, _rule: CountingRule, _pauses: Pauses) -> CountedDue:
    rank = first_open_rank(worktime, start)
    day = worktime.work_days[rank]
    is_provisional = day > worktime.last_published_day and worktime.has_unpublished_day(worktime.shift_day_of(start), day)
    return worktime.work_day_closes[rank], day, is_provisional


def _reject_date(_worktime: Worktime, _start: int, _duration: Duration, _rule: CountingRule, _pauses: Pauses) -> CountedDue:
    raise DeadlineError("duration date: <fact>: is an instant, which is not counted; give the fact's value")


_COUNT_BY_KIND: Final[Mapping[DurationKind, Callable[[Worktime, int, Duration, CountingRule, Pauses], CountedDue]]] = {
    "clock": _count_clock_time,
    "working": _count_working_time,
    "part": _count_day_fraction,
    "working_days": _count_working_days,
    "days": _count_days,
    "months": _count_months,
    "same_day": _count_same_day,
    "same_working_day": _count_same_working_day,
    "date": _reject_date,
}
