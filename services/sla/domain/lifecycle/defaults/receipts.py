"""The receipt that counts is that of the unit responsible now: each unit has its own time, and signing twice postpones nothing."""

from __future__ import annotations

from services.sla.domain.lifecycle.case import Case, ClockRun, Event
from services.sla.domain.rules.limit_defaults import RECEIPT_EVENTS
from services.sla.domain.rules.plans import ClockPlan

CHANGES_OF_UNIT = frozenset({"routed", "reassigned", "returned"})
"""Events after which another department may lead, or none."""


def has_lost_case(case: Case, run: ClockRun) -> bool:
    """Whether a run counts the time of a department that no longer leads."""
    return run.is_active and run.unit not in ("", case.department)


def round_to_resume(case: Case, plan: ClockPlan, event: Event) -> ClockRun | None:
    """The round in which this unit lost the case: it continues with what it had left. None if its time begins afresh."""
    if not _is_takeover(case, plan, event) or any(step.duration and not step.duration.pausable for step in plan.deadline_steps):
        return None
    own = [run for run in case.rounds[plan.clock.id] if run.unit == case.department]
    return own[-1] if own and own[-1].lost else None


def begins_round(case: Case, plan: ClockPlan, event: Event, *, restarts: bool) -> bool:
    """Whether a receipt begins a new round: another unit's does, a second signature of the same unit does not."""
    if _is_takeover(case, plan, event):
        return True
    return restarts and not (event.type == "signed" and case.receipts.get(case.department, 0) > 1)


def _is_takeover(case: Case, plan: ClockPlan, event: Event) -> bool:
    run = case.current_run(plan.clock.id)
    return run is not None and run.lost and event.type in (*RECEIPT_EVENTS, "reassigned")
