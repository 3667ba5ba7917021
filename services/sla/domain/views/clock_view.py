"""A case's clocks as people ask about them: each round as it stands, and why its deadlines fall where they fall."""

from __future__ import annotations

from typing import Any

from services.sla.domain.deadlines.explanation import explain
from services.sla.domain.lifecycle import clocks
from services.sla.domain.lifecycle.case import Case, Round
from services.sla.domain.lifecycle.decision_builder import Draft
from services.sla.domain.rules.rulebook import ClockPlan, Rulebook


def rounds(case: Case, rulebook: Rulebook) -> list[tuple[ClockPlan, Round]]:
    """Every round that began, with its clock."""
    plans = rulebook.plans
    return [(plans[name], each) for name, listed in case.rounds.items() for each in listed if each.state != "dormant"]


def summary(case: Case, rulebook: Rulebook, plan: ClockPlan, current: Round) -> dict[str, Any]:
    """A round as it stands."""
    worktime = rulebook.worktime(case.department)
    return {
        "clock": plan.clock.id,
        "clauses": plan.clauses,
        "round": current.number,
        "state": current.state,
        "due_at": None if current.due is None else worktime.instant(current.due).isoformat(),
        "provisional": current.provisional,
    }


def explained(case: Case, rulebook: Rulebook, plan: ClockPlan, current: Round) -> dict[str, Any]:
    """A round as it stands, with the explanation of each due instant."""
    draft = Draft(case, rulebook, current.start)
    because = {"procedure": case.procedure, "version": case.version, "clauses": plan.clauses, "starts_on": current.event}
    limits = [clocks.limit(draft, plan, current, place) for place in range(len(plan.thresholds))]
    dues = [explain(draft.worktime, limit, because) for limit in limits if limit is not None]
    return {**summary(case, rulebook, plan, current), "dues": dues}
