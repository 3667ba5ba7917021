"""When a reminder is sent: so much time before a deadline, or after a share of the time up to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from services.sla.domain.deadlines.counting import DeadlineError, add_clock_time, add_working_time
from services.sla.domain.deadlines.deadline import TimeLimit, compute_due
from services.sla.domain.deadlines.pauses import Pauses, running_intervals
from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.model.duration import Duration

_WORKING_KINDS: Final = ("working", "working_days", "part")


@dataclass(frozen=True, slots=True)
class ReminderTiming:
    """Either `before`, clock or working time left, or `share` of the counted time, above 0 and below 1."""

    before: Duration | None = None
    share: Fraction | None = None

    @classmethod
    def parse(cls, *, before: object = None, share: object = None) -> ReminderTiming:
        """Read a reminder as written: `before: 2h`, `before: 4wh` or `share: 0.8`; raises DeadlineError, DurationError."""
        if (before is None) == (share is None):
            raise DeadlineError("reminder: is either before or share; give one of them")
        if share is not None:
            return cls(share=_parse_share(share))
        left = Duration.parse(before)
        if left.kind not in ("clock", "working"):
            raise DeadlineError(f"reminder before {left}: is not a time that can be counted back; write it in m, h or wh")
        return cls(before=left)


def _parse_share(written: object) -> Fraction:
    try:
        share = Fraction(str(written))
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if not 0 < share < 1:
        raise DeadlineError(f"reminder share {written!r}: must lie above 0 and below 1; write for example 0.8")
    return share


def reminder_due(worktime: Worktime, limit: TimeLimit, timing: ReminderTiming) -> int | None:
    """Give the instant (UTC microseconds) of a reminder; None if there is none to send, or not yet (open pause, no due instant).

    Pauses are taken in the order in which they came: a reminder due before the next pause has been sent by then, one that
    falls into a pause is sent on resuming.
    """
    pauses = limit.pauses if _is_pausable(limit) else ()
    resumed, planned = limit.start, False
    for count in range(len(pauses) + 1):
        at = _due_with_pauses(worktime, replace(limit, pauses=pauses[:count]), timing)
        if at is None:
            return None
        planned = planned or at > limit.start
        at = max(at, resumed)
        if count == len(pauses) or (planned and at <= pauses[count][0]):
            return at if planned and at > limit.start else None
        ended = pauses[count][1]
        if ended is None:
            return None
        resumed = max(resumed, ended)
    return None


def _is_pausable(limit: TimeLimit) -> bool:
    agreed = limit.or_agreed is True and limit.agreed is not None
    return limit.duration.pausable and not agreed


def _due_with_pauses(worktime: Worktime, limit: TimeLimit, reminder: ReminderTiming) -> int | None:
    due = compute_due(worktime, limit)[0]
    if due is None:
        return None
    if reminder.before is not None:
        return _count_back(worktime, due, reminder.before, limit.pauses)
    share = Fraction(0) if reminder.share is None else reminder.share
    working = limit.duration.kind in _WORKING_KINDS
    measure = worktime.worked_until if working else _identity
    total = sum(measure(end) - measure(begun) for begun, end in running_intervals(limit.pauses, limit.start, due))
    amount = -(-total * share.numerator // share.denominator)
    if amount <= 0:
        return limit.start
    return add_working_time(worktime, limit.start, amount, limit.pauses) if working else add_clock_time(limit.start, amount, limit.pauses)


def _count_back(worktime: Worktime, due: int, before: Duration, pauses: Pauses) -> int:
    """Count back from `due`, through pauses, to the latest instant with that much time left."""
    working = before.kind == "working"
    measure: Callable[[int], int] = worktime.worked_until if working else _identity
    left, at = before.size, due
    for begun, ended in reversed(pauses):
        if begun >= at or ended is None:
            continue
        available = measure(at) - measure(min(ended, at))
        if available >= left:
            break
        left -= available
        at = begun
    total = measure(at) - left
    if not working:
        return total
    return worktime.latest_instant(total) if total >= 0 else worktime.start


def _identity(at: int) -> int:
    return at
