"""The duties of a procedure, which have no case: reports, checks and seals, due at the end of each week, month, quarter or year."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.sla.domain.deadlines.counting import Rule, reach
from services.sla.domain.deadlines.recurrence import period_start
from services.sla.domain.deadlines.worktime import DAY, Worktime
from shared.procedures.model.duration import Duration
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.timed_entries import Duty

SPANS = {"week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}
"""The periods that reports are made for, and how long they are."""
_LONGEST_ROLL = 45 * DAY
"""A period that ended so long ago may still be rolling over a holiday."""


@dataclass(frozen=True, slots=True)
class DutyDue:
    """A duty in one period: the period's first instant and the first after it, and when the duty is due (microseconds)."""

    duty: Duty
    since: int
    until: int
    due: int


def span(worktime: Worktime, every: str, at: int) -> tuple[int, int]:
    """First instant of the week, month, quarter or year of an instant, and first instant after it; `every` as in `1mo`."""
    duration = Duration.parse(every)
    since = period_start(worktime, duration, at)
    until = reach(worktime, since, duration, Rule("inclusive", "none"))[0]
    if until is None:
        raise ValueError(f"the period of {every} has no end")
    return since, until


def duties_due(procedure: Procedure, worktime: Worktime, since: int, until: int) -> Iterator[DutyDue]:
    """The duties that fall due after `since`, up to and including `until`, in order; each at its period's end, rolled forward."""
    found = [due for duty in procedure.duties for due in _of(duty, worktime, since, until)]
    yield from sorted(found, key=lambda each: (each.due, each.duty.id))


def next_duty(procedure: Procedure, worktime: Worktime, after: int) -> int | None:
    """The instant at which the procedure's next duty is due; None if it has none."""
    return min((_following(duty, worktime, after) for duty in procedure.duties), default=None)


def _of(duty: Duty, worktime: Worktime, since: int, until: int) -> Iterator[DutyDue]:
    at = since - _LONGEST_ROLL
    while True:
        begun, ended = span(worktime, duty.every, at)
        due = _due(duty, worktime, begun)
        if ended > until:
            return
        if since < due <= until:
            yield DutyDue(duty, begun, ended, due)
        at = ended


def _following(duty: Duty, worktime: Worktime, after: int) -> int:
    at = after - _LONGEST_ROLL
    while True:
        begun, ended = span(worktime, duty.every, at)
        due = _due(duty, worktime, begun)
        if due > after:
            return due
        at = ended


def _due(duty: Duty, worktime: Worktime, begun: int) -> int:
    due = reach(worktime, begun, Duration.parse(duty.every), Rule("inclusive", "forward"))[0]
    if due is None:
        raise ValueError(f"duty {duty.id} never falls due")
    return due
