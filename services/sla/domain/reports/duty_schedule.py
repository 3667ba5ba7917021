"""The duties of a procedure, which have no case: reports, checks and seals, due at the end of each week, month, quarter or year."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.sla.domain.deadlines.counting import CountingRule, add_duration
from services.sla.domain.deadlines.recurrence import period_start
from services.sla.domain.deadlines.worktime import MICROS_PER_DAY, Worktime
from shared.procedures.model.duration import Duration
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.timed_entries import PeriodicDuty

REPORT_PERIODS = {"week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}
"""The periods that reports are made for, and how long they are."""
DUTY_KEY_PREFIX = "duty:"
"""Prefix of the record key of a duty's notification, in place of a case id."""
_LONGEST_ROLL = 45 * MICROS_PER_DAY
"""A period that ended so long ago may still be rolling over a holiday."""


@dataclass(frozen=True, slots=True)
class ScheduledDuty:
    """A duty in one period: the period's first instant and the first after it, and when the duty is due (microseconds)."""

    duty: PeriodicDuty
    since: int
    until: int
    due: int


def period_bounds(worktime: Worktime, every: str, at: int) -> tuple[int, int]:
    """First instant of the week, month, quarter or year of an instant, and first instant after it; `every` as in `1mo`."""
    duration = Duration.parse(every)
    since = period_start(worktime, duration, at)
    until = add_duration(worktime, since, duration, CountingRule("inclusive", "none"))[0]
    if until is None:
        raise ValueError(f"the period of {every} has no end")
    return since, until


def duties_due_between(procedure: Procedure, worktime: Worktime, since: int, until: int) -> Iterator[ScheduledDuty]:
    """The duties that fall due after `since`, up to and including `until`, in order; each at its period's end, rolled forward."""
    found = [due for duty in procedure.duties for due in _scheduled_between(duty, worktime, since, until)]
    yield from sorted(found, key=lambda each: (each.due, each.duty.id))


def next_duty_due(procedure: Procedure, worktime: Worktime, after: int) -> int | None:
    """The instant at which the procedure's next duty is due; None if it has none."""
    return min((_next_due_after(duty, worktime, after) for duty in procedure.duties), default=None)


def _scheduled_between(duty: PeriodicDuty, worktime: Worktime, since: int, until: int) -> Iterator[ScheduledDuty]:
    at = since - _LONGEST_ROLL
    while True:
        begun, ended = period_bounds(worktime, duty.every, at)
        due = _due_of_period(duty, worktime, begun)
        if ended > until:
            return
        if since < due <= until:
            yield ScheduledDuty(duty, begun, ended, due)
        at = ended


def _next_due_after(duty: PeriodicDuty, worktime: Worktime, after: int) -> int:
    at = after - _LONGEST_ROLL
    while True:
        begun, ended = period_bounds(worktime, duty.every, at)
        due = _due_of_period(duty, worktime, begun)
        if due > after:
            return due
        at = ended


def _due_of_period(duty: PeriodicDuty, worktime: Worktime, begun: int) -> int:
    due = add_duration(worktime, begun, Duration.parse(duty.every), CountingRule("inclusive", "forward"))[0]
    if due is None:
        raise ValueError(f"duty {duty.id} never falls due")
    return due
