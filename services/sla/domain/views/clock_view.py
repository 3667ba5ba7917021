"""The clock runs of a case as API and archive show them, with the explanation of each deadline."""

from __future__ import annotations

from typing import Any

from services.sla.domain.deadlines.explanation import explain_deadline
from services.sla.domain.lifecycle.case import Case, ClockRun
from services.sla.domain.lifecycle.clock_deadlines import time_limit
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.rules.rulebook import ClockPlan, Rulebook


def started_runs(case: Case, rulebook: Rulebook) -> list[tuple[ClockPlan, ClockRun]]:
    """Every run that has started, with the plan of its clock; dormant runs are left out."""
    plans = rulebook.clock_plans
    return [(plans[clock_id], run) for clock_id, runs in case.rounds.items() for run in runs if run.state != "dormant"]


def run_summary(case: Case, rulebook: Rulebook, plan: ClockPlan, run: ClockRun) -> dict[str, Any]:
    """State and due instant of a run, as JSON values."""
    worktime = rulebook.worktime_for(case.department)
    return {
        "clock": plan.clock.id,
        "clauses": plan.clauses,
        "round": run.number,
        "state": run.state,
        "due_at": None if run.due_at is None else worktime.to_datetime(run.due_at).isoformat(),
        "provisional": run.provisional,
    }


def explained_run(case: Case, rulebook: Rulebook, plan: ClockPlan, run: ClockRun) -> dict[str, Any]:
    """The summary of a run with `dues`, the explanation of each due instant (time.md, Explanation)."""
    builder = DecisionBuilder(case, rulebook, run.start)
    source = {"procedure": case.procedure, "version": case.version, "clauses": plan.clauses, "starts_on": run.event}
    limits = [time_limit(builder, plan, run, step_index) for step_index in range(len(plan.deadline_steps))]
    dues = [explain_deadline(builder.worktime, limit, source) for limit in limits if limit is not None]
    return {**run_summary(case, rulebook, plan, run), "dues": dues}
