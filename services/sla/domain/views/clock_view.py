"""The clock runs of a case for API and evidence archive: the state of each, and the explanation of its deadlines."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from services.sla.domain.deadlines.explanation import explain_deadline
from services.sla.domain.lifecycle import clock_deadlines
from services.sla.domain.lifecycle.case import Case, ClockRun
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.rules.plans import ClockPlan
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views.instants import explanation_in_zone
from services.sla.domain.views.lateness import late_seconds


def started_runs(case: Case, rulebook: Rulebook) -> list[tuple[ClockPlan, ClockRun]]:
    """Every run that has started, with its clock plan; dormant runs have not."""
    plans = rulebook.clock_plans
    return [(plans[name], each) for name, listed in case.rounds.items() for each in listed if each.state != "dormant"]


def run_summary(case: Case, rulebook: Rulebook, plan: ClockPlan, run: ClockRun) -> dict[str, Any]:
    """The present state of a clock run."""
    worktime = rulebook.worktime_for(case.department)
    return {
        "clock": plan.clock.id,
        "clauses": plan.clauses,
        "round": run.number,
        "state": run.state,
        "due_at": None if run.due_at is None else worktime.to_datetime(run.due_at).isoformat(),
        "provisional": run.provisional,
    }


def clock_states(case: Case, rulebook: Rulebook, now: int, zone: tzinfo) -> list[dict[str, Any]]:
    """Every run that has started as people see it: its state, whether and by how much it is late, instants in the zone."""
    states = []
    for plan, run in started_runs(case, rulebook):
        late_by = late_seconds(run, now)
        summary = run_summary(case, rulebook, plan, run)
        states.append(explanation_in_zone({**summary, "breached": late_by is not None, "late_by": late_by or 0.0}, zone))
    return states


def running_clocks(case: Case, rulebook: Rulebook) -> list[dict[str, Any]]:
    """Clock, clause and due instant of the clocks that run or are paused, for the department that becomes responsible."""
    worktime = rulebook.worktime_for(case.department)
    return [
        {
            "clock": plan.clock.id,
            "clause": next(iter(plan.clauses), ""),
            "due_at": None if run.due_at is None else worktime.to_datetime(run.due_at),
        }
        for plan, run in started_runs(case, rulebook)
        if run.is_active
    ]


def explained_run(case: Case, rulebook: Rulebook, plan: ClockPlan, run: ClockRun) -> dict[str, Any]:
    """The present state of a clock run, with its reminders, its end, and the explanation of each due instant."""
    draft = DecisionBuilder(case, rulebook, run.start)
    because = {"procedure": case.procedure, "version": case.version, "clauses": plan.clauses, "starts_on": run.event}
    limits = [clock_deadlines.time_limit(draft, plan, run, place) for place in range(len(plan.deadline_steps))]
    dues = [explain_deadline(clock_deadlines.calendar_of(draft, plan), limit, because) for limit in limits if limit is not None]
    to_datetime = rulebook.worktime_for(case.department).to_datetime
    return {
        **run_summary(case, rulebook, plan, run),
        "ended_at": None if run.ended is None else to_datetime(run.ended).isoformat(),
        "reminders": [
            {"at": to_datetime(at).isoformat(), "of": plan.reminders[index].step_index, "sent": index in run.reminded}
            for index, at in enumerate(run.reminders)
            if at is not None
        ],
        "dues": dues,
    }
