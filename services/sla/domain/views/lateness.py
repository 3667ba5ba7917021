"""Whether a case is late: which deadlines were missed, by how much, and which is next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from services.sla.domain.lifecycle.case import Case, ClockRun
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views.instants import to_text

_MICROS_PER_SECOND = 1_000_000


def has_breached(case: Case) -> bool:
    """Whether a deadline of the case was missed, in any round."""
    return any(run.breached is not None for run in _runs(case))


def next_deadline(case: Case) -> int | None:
    """The earliest due instant of the clocks that run or are paused, missed ones included; None without any."""
    return min((run.due_at for run in _runs(case) if run.is_active and run.due_at is not None), default=None)


def late_seconds(run: ClockRun, now: int) -> float | None:
    """By how many seconds a round missed its deadline, up to its end or to now; None if it did not."""
    if run.breached is None:
        return None
    return max(0, (now if run.ended is None else run.ended) - run.breached) / _MICROS_PER_SECOND


def lateness(case: Case, rulebook: Rulebook, now: int, zone: tzinfo) -> dict[str, Any]:
    """`breached`, `late_by` of the worst breach in seconds, and `breaches`: each missed deadline with its clock and clauses.

    Only what the timers have carried out counts: before that, an action that was in time may still be unread.
    """
    breaches = [_breach(run, rulebook, now, zone) for run in _runs(case) if run.breached is not None]
    worst = max((breach["late_by"] for breach in breaches), default=0.0)
    return {"breached": bool(breaches), "late_by": worst, "breaches": breaches}


def _breach(run: ClockRun, rulebook: Rulebook, now: int, zone: tzinfo) -> dict[str, Any]:
    return {
        "clock": run.clock,
        "clauses": rulebook.clock_plans[run.clock].clauses,
        "round": run.number,
        "due_at": to_text(run.breached, zone),
        "late_by": late_seconds(run, now),
        "running": run.is_active,
    }


def _runs(case: Case) -> Iterator[ClockRun]:
    for rounds in case.rounds.values():
        yield from rounds
