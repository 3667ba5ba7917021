"""Who may act, and what must hold before: an action becomes an event, or is refused with a reason and a clause."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from services.sla.domain.lifecycle.case import Round
from services.sla.domain.lifecycle.decision_builder import Draft
from services.sla.domain.rules.rulebook import STOPS, ClockPlan, Permission
from shared.contracts.actions import ACTIONS
from shared.contracts.events.fields import EVENT_FIELDS
from shared.procedures.model.duration import Duration, DurationError
from shared.procedures.model.effects import names

EXTENSIONS = ("request_extension", "grant_extension", "refuse_extension")
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an action was refused: a reason that names the remedy, the entry's clauses, and whether it came after a deemed event."""

    reason: str
    clauses: list[str] = field(default_factory=list)
    rule: str = ""
    late: bool = False


def event_of(draft: Draft, action: str, data: dict[str, Any]) -> str:
    """The event that an action causes on this case as it stands."""
    kind = ACTIONS[acts_as(draft, action)]
    if action == "answer" and draft.case.answered:
        return "answered"
    return kind.fails if kind.fails and data.get("passed") is False else kind.event


def acts_as(draft: Draft, action: str) -> str:
    """The action that this one amounts to: to classify what has a class is to reclassify, to route what has a lead to reassign."""
    if action == "classify" and draft.case.class_:
        return "reclassify"
    return "reassign" if action == "route" and draft.case.department else action


def refusal(draft: Draft, action: str, event: str, at: int, data: dict[str, Any]) -> Refusal | None:
    """Why an action is refused; None where it is accepted. `data` holds the would-be event's fields."""
    return (
        _incomplete(action, data)
        or _ended(draft, action)
        or _window(draft, action)
        or _returns(draft, action)
        or _class(draft, data)
        or _late(draft, event, at)
        or (_extension(draft, action, at, data) if action in EXTENSIONS else None)
        or _ruled_out(draft, action, {**data, "at": at})
    )


def needs_sign_off(draft: Draft, data: dict[str, Any]) -> bool:
    """Whether measures so submitted count only once they are signed off."""
    rules = draft.rulebook.permissions.get("submit_measures", ())
    return any(rule.needs_sign_off is not None and draft.holds(rule.needs_sign_off, data) for rule in rules)


def clock_named(draft: Draft, name: str) -> ClockPlan | None:
    """The clock that an extension means, by its id or by its clause; of several with that clause the one that runs."""
    plans = draft.rulebook.plans
    if name in plans:
        return plans[name]
    found = [plan for plan in plans.values() if any(own == name or own.startswith(f"{name}.") for own in _all_clauses(plan))]
    running = [plan for plan in found if (current := draft.case.current(plan.clock.id)) is not None and current.live]
    return next(iter([*running, *found]), None)


def _all_clauses(plan: ClockPlan) -> list[str]:
    return [*plan.clauses, *(clause for step in plan.thresholds for doing in step.doings for clause in doing.clauses)]


def _incomplete(action: str, data: dict[str, Any]) -> Refusal | None:
    missing = [name for name in ACTIONS[action].needs if not data.get(_FIELD.get((action, name), name))]
    if not missing:
        return None
    return Refusal(f"{missing[0]} is missing; give {missing[0]} with {action}")


_FIELD = {("link", "case"): "to_case", ("unlink", "case"): "to_case"}
"""Where an action's data has another name in the event."""


def _ended(draft: Draft, action: str) -> Refusal | None:
    if action == "close" and not draft.case.open:
        return Refusal(f"the case is {draft.case.status} already; reopen it first")
    if action == "reopen" and draft.case.open:
        return Refusal("the case is open; only a case that has ended can be reopened")
    return None


def _window(draft: Draft, action: str) -> Refusal | None:
    found = draft.case.windows.get(action)
    return None if found is None else Refusal(f"the time for {action} has passed", found)


def _returns(draft: Draft, action: str) -> Refusal | None:
    most = draft.rulebook.procedure.most_returns
    if action != "return" or draft.case.count.get("returned", 0) < most:
        return None
    return Refusal(f"the case has been returned {most} times already; object, and have it ruled who is responsible")


def _class(draft: Draft, data: dict[str, Any]) -> Refusal | None:
    known = [each.id for each in draft.rulebook.procedure.classes]
    named = data.get("class")
    if not named or not known or named in known:
        return None
    return Refusal(f"there is no class {named}; classes are {', '.join(dict.fromkeys(known))}")


def _late(draft: Draft, event: str, at: int) -> Refusal | None:
    """An event that would have met a clock whose time ran out and was deemed to be met does not undo that."""
    for plan in draft.rulebook.concerned.get(event, ()):
        current = draft.case.current(plan.clock.id)
        if current is not None and current.deemed and plan.clock.late == "refuse" and event in plan.matches[STOPS] and _after(current, at):
            return Refusal(f"{current.deemed} has happened already", plan.clauses, plan.clock.id, late=True)
    return None


def _after(current: Round, at: int) -> bool:
    return current.ended is None or at >= current.ended


def _extension(draft: Draft, action: str, at: int, data: dict[str, Any]) -> Refusal | None:
    plan = clock_named(draft, data["clock"])
    if plan is None:
        return Refusal(f"no clock has the id or clause {data['clock']}; name one of {', '.join(draft.rulebook.plans)}")
    current = draft.case.current(plan.clock.id)
    if current is None or not current.live:
        return Refusal(f"the clock {plan.clock.id} does not run; only a running clock can be extended", plan.clauses, plan.clock.id)
    if action == "request_extension" and current.due is not None and at > current.due:
        return Refusal(f"the clock {plan.clock.id} is past due; more time has to be asked for by then", plan.clauses, plan.clock.id)
    return _granted(draft, plan, current, data) if action == "grant_extension" else None


def _granted(draft: Draft, plan: ClockPlan, current: Round, data: dict[str, Any]) -> Refusal | None:
    if not data.get("extend_by") and data.get("until") is None:
        return Refusal("by or until is missing; say by how much or until when", plan.clauses, plan.clock.id)
    if data.get("until") is not None:
        return None
    if any(extension["until"] is not None for extension in current.extensions):
        return Refusal(f"the clock {plan.clock.id} runs until an instant; extend it until a later one", plan.clauses, plan.clock.id)
    try:
        by = Duration.parse(data["extend_by"])
        for threshold in plan.thresholds:
            if threshold.duration is not None and draft.holds(threshold.when):
                threshold.duration.plus(by)
    except DurationError as error:
        return Refusal(str(error), plan.clauses, plan.clock.id)
    return None


def _ruled_out(draft: Draft, action: str, data: dict[str, Any]) -> Refusal | None:
    """What the procedure's rules say against it: the first reason, and the clauses of every rule that is broken."""
    broken = [
        (number, reason, permission)
        for number, permission in enumerate(draft.rulebook.permissions.get(action, ()))
        if draft.holds(permission.when, data) and (reason := _against(draft, action, permission, data)) is not None
    ]
    if not broken:
        return None
    number, reason, first = broken[0]
    clauses = list(dict.fromkeys(clause for _, _, permission in broken for clause in permission.clauses))
    return Refusal(first.rule.reason or reason, clauses, f"{action}.{number}" if number else action)


def _against(draft: Draft, action: str, permission: Permission, data: dict[str, Any]) -> str | None:
    rule = permission.rule
    if rule.by is not None and data.get("role") not in names(rule.by):
        return f"{data.get('role') or 'nobody'} may not {action}; {' or '.join(names(rule.by))} may"
    if rule.at_most is not None and draft.case.count.get(ACTIONS[action].event, 0) >= rule.at_most:
        return f"{action} is accepted at most {rule.at_most} times"
    if rule.reasons and data.get("reason") not in rule.reasons:
        return f"the reason is not on the procedure's list: {', '.join(rule.reasons)}"
    if permission.requires is not None and not draft.holds(permission.requires, data):
        return f"{action} requires: {permission.requires.source}"
    return None


FIELDS = {"by": "extend_by", "case": "to_case", "role": "to_role", "passed": ""}
"""Names of action data that stand for something else in an event; an empty name does not enter the event."""


def fields(event: str, data: dict[str, Any]) -> dict[str, Any]:
    """The event's fields out of an action's data; what the event has no field for is left out."""
    known = EVENT_FIELDS[event]
    renamed = {FIELDS.get(name, name): value for name, value in data.items() if value not in ("", None, [], {})}
    if "promise" in renamed:
        renamed["promise"] = renamed["promise"] if isinstance(renamed["promise"], str) else "true" if renamed["promise"] else ""
    return {name: value for name, value in renamed.items() if name in known}
