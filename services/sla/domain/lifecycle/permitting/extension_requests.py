"""The clock that an extension names, and the refusal of a request or decision about it."""

from __future__ import annotations

from typing import Any

from services.sla.domain.lifecycle import clock_deadlines
from services.sla.domain.lifecycle.case import ClockRun
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.defaults.action_refusal import ActionRefusal
from services.sla.domain.rules.plans import ClockPlan
from shared.procedures.model.duration import Duration, DurationError

EXTENSION_ACTIONS = ("request_extension", "grant_extension", "refuse_extension")


def find_clock(builder: DecisionBuilder, id_or_clause: str) -> ClockPlan | None:
    """The clock that an extension names by its id or clause; of several with that clause the first active one."""
    plans = builder.rulebook.clock_plans
    if id_or_clause in plans:
        return plans[id_or_clause]
    candidates = [
        plan
        for plan in plans.values()
        if any(clause == id_or_clause or clause.startswith(f"{id_or_clause}.") for clause in _clauses_of_clock(plan))
    ]
    active = [plan for plan in candidates if (run := builder.case.current_run(plan.clock.id)) is not None and run.is_active]
    return next(iter([*active, *candidates]), None)


def clock_id_of(builder: DecisionBuilder, data: dict[str, Any]) -> str:
    """The id of the clock that an action's data name; empty for none."""
    plan = find_clock(builder, data["clock"]) if data.get("clock") else None
    return "" if plan is None else plan.clock.id


def _clauses_of_clock(plan: ClockPlan) -> list[str]:
    return [*plan.clauses, *(clause for step in plan.deadline_steps for planned in step.effects for clause in planned.clauses)]


def invalid_extension(
    builder: DecisionBuilder, action: str, at: int, data: dict[str, Any], *, data_known: bool = True
) -> ActionRefusal | None:
    """The refusal of a request or decision about an extension; without `data_known` only the clock in `data` counts."""
    plan = find_clock(builder, data["clock"])
    if plan is None:
        return ActionRefusal(f"no clock has the id or clause {data['clock']}; name one of {', '.join(builder.rulebook.clock_plans)}")
    clock_id = plan.clock.id
    run = builder.case.current_run(clock_id)
    if run is None or not run.is_active:
        return ActionRefusal(f"the clock {clock_id} does not run; only a running clock can be extended", plan.clauses, clock_id)
    if action == "request_extension" and run.due_at is not None and at > run.due_at:
        return ActionRefusal(f"the clock {clock_id} is past due; request an extension by the due instant", plan.clauses, clock_id)
    if data.get("until") is not None and (reason := clock_deadlines.early_extension(plan, run, data["until"])) is not None:
        return ActionRefusal(reason, plan.clauses, clock_id)
    return _invalid_grant(builder, plan, run, data) if action == "grant_extension" and data_known else None


def _invalid_grant(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, data: dict[str, Any]) -> ActionRefusal | None:
    clock_id = plan.clock.id
    if not data.get("extend_by") and data.get("until") is None:
        return ActionRefusal("by or until is missing; give one of them", plan.clauses, clock_id)
    if data.get("until") is not None:
        return None
    if any(extension["until"] is not None for extension in run.extensions):
        return ActionRefusal(f"the clock {clock_id} runs until an instant; extend it until a later one", plan.clauses, clock_id)
    try:
        extend_by = Duration.parse(data["extend_by"])
        for step in plan.deadline_steps:
            if step.duration is not None and builder.holds(step.when):
                step.duration.plus(extend_by)  # raises where the units do not go together
    except DurationError as error:
        return ActionRefusal(str(error), plan.clauses, clock_id)
    return None
