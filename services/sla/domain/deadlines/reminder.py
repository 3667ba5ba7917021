"""Computes when a reminder is sent: some time before a deadline, or after a share of the time up to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from services.sla.domain.deadlines.calendar_pieces import AnyCalendar
from services.sla.domain.deadlines.counting import DeadlineError, add_clock_time, add_working_time
from services.sla.domain.deadlines.deadline import TimeLimit, compute_due
from services.sla.domain.deadlines.pauses import Pauses, running_intervals
from services.sla.domain.deadlines.worktime import WorkingHours
from shared.procedures.model.duration import Duration

_WORKING_KINDS: Final = ("working", "working_days", "part")


@dataclass(frozen=True, slots=True)
class ReminderTiming:
    """Clock or working time `before` the deadline, or a `share` of the counted time, above 0 and below 1; one of the two."""

    before: Duration | None = None
    share: Fraction | None = None

    @classmethod
    def parse(cls, *, before: object = None, share: object = None) -> ReminderTiming:
        """Read `before: 2h`, `before: 4wh` or `share: 0.8`; raises DeadlineError and DurationError."""
        if (before is None) == (share is None):
            raise DeadlineError("reminder: is either before or share; give one of them")
        if share is not None:
            return cls(share=_parse_share(share))
        duration = Duration.parse(before)
        if duration.kind not in ("clock", "working"):
            raise DeadlineError(f"reminder before {duration}: is not a time that can be counted back; write it in m, h or wh")
        return cls(before=duration)


def _parse_share(value: object) -> Fraction:
    try:
        # By its text: the float 0.8 is a little more than 4/5, and the reminder, rounded up, would come a microsecond late.
        share = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if not 0 < share < 1:
        raise DeadlineError(f"reminder share {value!r}: must lie above 0 and below 1; write for example 0.8")
    return share


def reminder_due(worktime: AnyCalendar, limit: TimeLimit, timing: ReminderTiming) -> int | None:
    """Return the instant of a reminder in UTC microseconds.

    None if it would not lie after the start, while an open pause holds it, or while the limit has no due instant. A reminder due
    during a pause is sent when the clock resumes.

    Pauses are added one at a time, in order: a pause that begins later must not move a reminder that was already sent by then.
    """
    pauses = limit.pauses if _is_pausable(limit) else ()
    resumed_at, is_after_start, count = limit.start, False, 0
    while True:
        at = _due_with_pauses(worktime, replace(limit, pauses=pauses[:count]), timing)
        if at is None:
            return None
        is_after_start = is_after_start or at > limit.start
        at = max(at, resumed_at)
        if count == len(pauses) or (is_after_start and at <= pauses[count][0]):
            return at if is_after_start and at > limit.start else None
        pause_end = pauses[count][1]
        if pause_end is None:
            return None
        resumed_at = max(resumed_at, pause_end)
        count += 1


def _is_pausable(limit: TimeLimit) -> bool:
    is_replaced_by_agreed_date = limit.or_agreed is True and limit.agreed is not None
    return limit.duration.pausable and not is_replaced_by_agreed_date


def _due_with_pauses(worktime: AnyCalendar, limit: TimeLimit, timing: ReminderTiming) -> int | None:
    due, _, _ = compute_due(worktime, limit)
    if due is None:
        return None
    if timing.before is not None:
        return _count_back(worktime, due, timing.before, limit.pauses)
    share = Fraction(0) if timing.share is None else timing.share
    is_working = limit.duration.kind in _WORKING_KINDS
    total = sum(
        _time_between(worktime, start, end, is_working=is_working) for start, end in running_intervals(limit.pauses, limit.start, due)
    )
    amount = -(-total * share.numerator // share.denominator)
    if amount <= 0:
        return limit.start
    if is_working:
        return add_working_time(worktime, limit.start, amount, limit.pauses)
    return add_clock_time(limit.start, amount, limit.pauses)


def _count_back(worktime: WorkingHours, due: int, before: Duration, pauses: Pauses) -> int:
    """Return the latest instant at which that much unpaused time is left until `due`."""
    is_working = before.kind == "working"
    remaining, at = before.size, due
    for pause_start, pause_end in reversed(pauses):
        if pause_start >= at or pause_end is None:
            continue
        after_pause = _time_between(worktime, min(pause_end, at), at, is_working=is_working)
        if after_pause >= remaining:
            break
        remaining -= after_pause
        at = pause_start
    if not is_working:
        return at - remaining
    worked = worktime.worked_until(at) - remaining
    return worktime.latest_instant(worked) if worked >= 0 else worktime.start


def _time_between(worktime: WorkingHours, start: int, end: int, *, is_working: bool) -> int:
    return worktime.worked_until(end) - worktime.worked_until(start) if is_working else end - start
