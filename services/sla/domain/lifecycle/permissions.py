"""Who may act, and what must hold before: an action becomes an event, or is refused with a reason and a clause."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from services.sla.domain.lifecycle.case import ClockRun
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.rules.plans import STOPS, ClockPlan, Permission
from shared.contracts.actions import ACTION_DEFINITIONS
from shared.contracts.events.empty_fields import EMPTY_EVENT_FIELDS
from shared.procedures.model.duration import Duration, DurationError
from shared.procedures.model.effects import role_tuple

EXTENSION_ACTIONS = ("request_extension", "grant_extension", "refuse_extension")
AUTHORITY_RULE = "authority"
"""The rule of a refusal that rests on who acted, not on the procedure."""
SYSTEM_ROLE = "system"


@dataclass(frozen=True, slots=True)
class ActionRefusal:
    """Why an action was refused: a reason that names the remedy, the entry's clauses, and whether it came after a deemed event."""

    reason: str
    clauses: list[str] = field(default_factory=list)
    rule: str = ""
    late: bool = False


def resulting_event_type(builder: DecisionBuilder, action: str, data: dict[str, Any]) -> str:
    """The event that an action causes on this case as it stands."""
    kind = ACTION_DEFINITIONS[effective_action(builder, action)]
    if action == "answer" and builder.case.answered:
        return "answered"
    return kind.event_id_if_not_passed if kind.event_id_if_not_passed and data.get("passed") is False else kind.event_id


def effective_action(builder: DecisionBuilder, action: str) -> str:
    """The action that this one amounts to: to classify what has a class is to reclassify, to route what has a lead to reassign."""
    if action == "classify" and builder.case.class_:
        return "reclassify"
    return "reassign" if action == "route" and builder.case.department else action


def find_refusal(builder: DecisionBuilder, action: str, event_type: str, at: int, data: dict[str, Any]) -> ActionRefusal | None:
    """Why an action is refused; None where it is accepted. `data` holds the would-be event's fields."""
    return (
        _missing_data(action, data)
        or _wrong_case_status(builder, action)
        or _window_closed(builder, action)
        or _too_many_returns(builder, action)
        or _unknown_class(builder, data)
        or _already_deemed(builder, event_type, at)
        or (_invalid_extension(builder, action, at, data) if action in EXTENSION_ACTIONS else None)
        or _broken_rules(builder, action, {**data, "at": at})
    )


def needs_sign_off(builder: DecisionBuilder, data: dict[str, Any]) -> bool:
    """Whether measures so submitted count only once they are signed off."""
    rules = builder.rulebook.permissions_by_action.get("submit_measures", ())
    return any(rule.needs_sign_off is not None and builder.holds(rule.needs_sign_off, data) for rule in rules)


def find_clock(builder: DecisionBuilder, id_or_clause: str) -> ClockPlan | None:
    """The clock that an extension means, by its id or by its clause; of several with that clause the one that runs."""
    plans = builder.rulebook.clock_plans
    if id_or_clause in plans:
        return plans[id_or_clause]
    found = [
        plan
        for plan in plans.values()
        if any(own == id_or_clause or own.startswith(f"{id_or_clause}.") for own in _clock_and_effect_clauses(plan))
    ]
    running = [plan for plan in found if (current := builder.case.current_run(plan.clock.id)) is not None and current.is_active]
    return next(iter([*running, *found]), None)


def _clock_and_effect_clauses(plan: ClockPlan) -> list[str]:
    return [*plan.clauses, *(clause for step in plan.deadline_steps for doing in step.effects for clause in doing.clauses)]


def _missing_data(action: str, data: dict[str, Any]) -> ActionRefusal | None:
    missing = [name for name in ACTION_DEFINITIONS[action].required_data if not data.get(_REQUIRED_EVENT_FIELDS.get((action, name), name))]
    if not missing:
        return None
    return ActionRefusal(f"{missing[0]} is missing; give {missing[0]} with {action}")


_REQUIRED_EVENT_FIELDS = {("link", "case"): "to_case", ("unlink", "case"): "to_case"}
"""Where an action's data has another name in the event."""


def _wrong_case_status(draft: DecisionBuilder, action: str) -> ActionRefusal | None:
    if action == "close" and not draft.case.open:
        return ActionRefusal(f"the case is {draft.case.status} already; reopen it first")
    if action == "reopen" and draft.case.open:
        return ActionRefusal("the case is open; only a case that has ended can be reopened")
    return None


def _window_closed(draft: DecisionBuilder, action: str) -> ActionRefusal | None:
    found = draft.case.windows.get(action)
    return None if found is None else ActionRefusal(f"the time for {action} has passed", found)


def _too_many_returns(draft: DecisionBuilder, action: str) -> ActionRefusal | None:
    most = draft.rulebook.procedure.most_returns
    if action != "return" or draft.case.count.get("returned", 0) < most:
        return None
    return ActionRefusal(f"the case has been returned {most} times already; object, and have it ruled who is responsible")


def _unknown_class(draft: DecisionBuilder, data: dict[str, Any]) -> ActionRefusal | None:
    known = [each.id for each in draft.rulebook.procedure.classes]
    named = data.get("class")
    if not named or not known or named in known:
        return None
    return ActionRefusal(f"there is no class {named}; classes are {', '.join(dict.fromkeys(known))}")


def _already_deemed(draft: DecisionBuilder, event: str, at: int) -> ActionRefusal | None:
    """An event that would have met a clock whose time ran out and was deemed to be met does not undo that."""
    for plan in draft.rulebook.plans_by_event.get(event, ()):
        current = draft.case.current_run(plan.clock.id)
        if (
            current is not None
            and current.deemed
            and plan.clock.late == "refuse"
            and event in plan.matches[STOPS]
            and _after_run_end(current, at)
        ):
            return ActionRefusal(f"{current.deemed} has happened already", plan.clauses, plan.clock.id, late=True)
    return None


def _after_run_end(current: ClockRun, at: int) -> bool:
    return current.ended is None or at >= current.ended


def _invalid_extension(draft: DecisionBuilder, action: str, at: int, data: dict[str, Any]) -> ActionRefusal | None:
    plan = find_clock(draft, data["clock"])
    if plan is None:
        return ActionRefusal(f"no clock has the id or clause {data['clock']}; name one of {', '.join(draft.rulebook.clock_plans)}")
    current = draft.case.current_run(plan.clock.id)
    if current is None or not current.is_active:
        return ActionRefusal(f"the clock {plan.clock.id} does not run; only a running clock can be extended", plan.clauses, plan.clock.id)
    if action == "request_extension" and current.due_at is not None and at > current.due_at:
        return ActionRefusal(f"the clock {plan.clock.id} is past due; more time has to be asked for by then", plan.clauses, plan.clock.id)
    return _invalid_grant(draft, plan, current, data) if action == "grant_extension" else None


def _invalid_grant(draft: DecisionBuilder, plan: ClockPlan, current: ClockRun, data: dict[str, Any]) -> ActionRefusal | None:
    if not data.get("extend_by") and data.get("until") is None:
        return ActionRefusal("by or until is missing; say by how much or until when", plan.clauses, plan.clock.id)
    if data.get("until") is not None:
        return None
    if any(extension["until"] is not None for extension in current.extensions):
        return ActionRefusal(f"the clock {plan.clock.id} runs until an instant; extend it until a later one", plan.clauses, plan.clock.id)
    try:
        by = Duration.parse(data["extend_by"])
        for threshold in plan.deadline_steps:
            if threshold.duration is not None and draft.holds(threshold.when):
                threshold.duration.plus(by)
    except DurationError as error:
        return ActionRefusal(str(error), plan.clauses, plan.clock.id)
    return None


def _broken_rules(draft: DecisionBuilder, action: str, data: dict[str, Any]) -> ActionRefusal | None:
    """What the procedure's rules say against it: the first reason, and the clauses of every rule that is broken."""
    broken = [
        (number, reason, permission)
        for number, permission in enumerate(draft.rulebook.permissions_by_action.get(action, ()))
        if draft.holds(permission.when, data) and (reason := _rule_violation(draft, action, permission, data)) is not None
    ]
    if not broken:
        return None
    number, reason, first = broken[0]
    clauses = list(dict.fromkeys(clause for _, _, permission in broken for clause in permission.clauses))
    return ActionRefusal(first.rule.reason or reason, clauses, f"{action}.{number}" if number else action)


def _rule_violation(draft: DecisionBuilder, action: str, permission: Permission, data: dict[str, Any]) -> str | None:
    rule = permission.rule
    if rule.by is not None and data.get("role") not in role_tuple(rule.by):
        return f"{data.get('role') or 'nobody'} may not {action}; {' or '.join(role_tuple(rule.by))} may"
    if rule.at_most is not None and draft.case.count.get(ACTION_DEFINITIONS[action].event_id, 0) >= rule.at_most:
        return f"{action} is accepted at most {rule.at_most} times"
    if rule.reasons and data.get("reason") not in rule.reasons:
        return f"the reason is not on the procedure's list: {', '.join(rule.reasons)}"
    if permission.requires is not None and not draft.holds(permission.requires, data):
        return f"{action} requires: {permission.requires.source}"
    return None


EVENT_FIELD_NAMES = {"by": "extend_by", "case": "to_case", "role": "to_role", "passed": ""}
"""Names of action data that stand for something else in an event; an empty name does not enter the event."""


def action_event_fields(event_type: str, data: dict[str, Any]) -> dict[str, Any]:
    """The event's fields out of an action's data; what the event has no field for is left out."""
    known = EMPTY_EVENT_FIELDS[event_type]
    renamed = {EVENT_FIELD_NAMES.get(name, name): value for name, value in data.items() if value not in ("", None, [], {})}
    if "promise" in renamed:
        renamed["promise"] = renamed["promise"] if isinstance(renamed["promise"], str) else "true" if renamed["promise"] else ""
    return {name: value for name, value in renamed.items() if name in known}
