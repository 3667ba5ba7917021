"""The heart: `decide` takes a case, what happened, the rulebook and the instant, and says what follows. Pure: no clock, no I/O."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from services.sla.domain.lifecycle import clocks, due_items, escalation, permissions
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.due_items import next_due
from services.sla.domain.lifecycle.effects import run_reactions
from services.sla.domain.lifecycle.inputs import AdvanceTime, ApplyDecision, CaseInput, OpenCase, Recalculate, TakeAction
from services.sla.domain.rules.plans import first_clauses
from services.sla.domain.rules.rulebook import Rulebook
from shared.contracts.actions import ACTION_DEFINITIONS

NON_OWNER_ROLES = frozenset({"", "system", "triage", "complainant"})
"""Roles that are never asked for help, and so never own a case as the first who was asked."""


MAX_FOLLOW_UPS = 1000
"""Events that one input or due item may cause; the longest decision in the scenarios of the packs has 18."""


class ProcedureLoopError(ValueError):
    """Events of a procedure cause each other without end; the text names the event that came most often."""


@dataclass(frozen=True, slots=True)
class CaseDecision:
    """What follows: the case as it stands then, the events in order, and when it has to be looked at again (None: never by itself)."""

    case: Case
    events: list[Event]
    next_due: int | None


class UnknownActionError(ValueError):
    """An action that the vocabulary does not know; the text names those that it knows."""


def decide(case: Case | None, case_input: CaseInput, rulebook: Rulebook, now: int) -> CaseDecision:
    """Decide what follows from an input. `now` (microseconds) is when the decision is made, at or after the input's instant.

    What was due before the input is carried out first: an action that comes late finds the clock breached already.
    Raises `ValueError` for an input that no such case can have.
    """
    if isinstance(case_input, OpenCase):
        draft = DecisionBuilder(_new_case(case_input), rulebook, now)
        _add_opening_events(draft, case_input)
        following = _execute_due(draft, case_input.registered_at - 1)
    elif case is None:
        raise ValueError("the case is not known; its registration has to come first")
    else:
        draft = DecisionBuilder(case.working_copy(), rulebook, now)
        if isinstance(case_input, AdvanceTime):
            following = _execute_due(draft, case_input.upto)
        else:
            _execute_due(draft, case_input.at - 1)
            _apply_input(draft, case_input)
            _follow_up_events(draft)
            following = _execute_due(draft, case_input.at - 1)
    return CaseDecision(draft.case, draft.events, following)


def _follow_up_events(builder: DecisionBuilder) -> None:
    """The event loop: follow up each event of the decision once, in the order in which the events were added.

    An event is applied to the case at the moment it is added, whichever input, clock or effect it comes from. When it is
    followed up, its clocks come first, in the order of time.md for equal instants, then the reactions on it in their written
    order; the events that these add go to the end of the list.

    Raises `ProcedureLoopError` if events cause each other without end.
    """
    for _ in range(MAX_FOLLOW_UPS):
        if not builder.pending:
            return
        event = builder.pending.popleft()
        clocks.apply_stops_and_cancels(builder, event)
        due_items.execute_before_interruption(builder, event)
        clocks.apply_pauses_and_starts(builder, event)
        escalation.end_escalations(builder, event)
        run_reactions(builder, event)
        if event.type == "measures_signed_off":
            builder.case.unsigned = False
    raise ProcedureLoopError(_describe_loop(builder))


def _describe_loop(builder: DecisionBuilder) -> str:
    reacted_to = [event.type for event in builder.events if event.type in builder.rulebook.reactions_by_event]
    ((event_type, _),) = Counter(reacted_to or [event.type for event in builder.events]).most_common(1)
    return f"{event_type} causes itself without end; give a reaction or a clock on {event_type} a condition"


def _execute_due(builder: DecisionBuilder, upto: int) -> int | None:
    """Carry out all that is due by an instant, each at its own instant, in order; gives the next instant after that."""
    while (due := next_due(builder.case)) is not None and due <= upto:
        due_items.execute_first(builder, upto)
        _follow_up_events(builder)
    return due


def _apply_input(draft: DecisionBuilder, given: TakeAction | ApplyDecision | Recalculate) -> None:
    match given:
        case TakeAction():
            _take_action(draft, given)
        case ApplyDecision():
            _apply_decision(draft, given)
        case Recalculate():
            clocks.recalculate_deadlines(draft, given.at, given.reason)


def _new_case(given: OpenCase) -> Case:
    classified = given.classified
    return Case(
        id=given.case,
        procedure=given.procedure,
        version=given.version,
        number=given.registered.get("number", ""),
        received_at=given.received_at,
        registered_at=given.registered_at,
        complaint=given.complaint,
        parameters=given.parameters,
        kind=classified.get("kind") or "complaint",
        class_=classified.get("class", ""),
        rule=classified.get("rule", ""),
        subject=classified.get("subject", ""),
        proposed=classified.get("department", ""),
        facts=dict(classified.get("facts", {})),
    )


def _add_opening_events(draft: DecisionBuilder, given: OpenCase) -> None:
    register = first_clauses(draft.rulebook.procedure.register_.clause)
    draft.add_event("registered", given.registered_at, {**draft.rule_fields("register", register), **given.registered}, "opening")
    _follow_up_events(draft)
    draft.add_event("classified", given.registered_at, dict(given.classified))
    _follow_up_events(draft)


def _apply_decision(draft: DecisionBuilder, given: ApplyDecision) -> None:
    """Apply a decision of triage or news of a message; what a person has decided outranks a later automatic decision."""
    case, kind, data = draft.case, given.event, dict(given.data)
    if kind in ("routed", "route_proposed") and "department" in case.decided_by_person:
        kind, data = _outranked_by_person("route", "department", data)
    elif kind in ("classified", "reclassified") and "class" in case.decided_by_person:
        kind, data = _outranked_by_person("reclassify", "class", data)
    elif kind == "routed" and case.department:
        kind = "reassigned"
    if kind == "reclassified":
        data.setdefault("from_class", case.class_)
    draft.add_event(kind, given.at, data, given.cause)


def _outranked_by_person(action: str, what: str, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kept: dict[str, Any] = {name: data[name] for name in ("rule", "clause", "clauses") if name in data}
    return "action_refused", {**kept, "action": action, "role": "system", "reason": f"a person has decided the {what}", "data": data}


def _take_action(draft: DecisionBuilder, given: TakeAction) -> None:
    if given.action not in ACTION_DEFINITIONS:
        raise UnknownActionError(f"there is no action {given.action!r}; actions are {', '.join(sorted(ACTION_DEFINITIONS))}")
    event = permissions.resulting_event_type(draft, given.action, given.data)
    data = {**permissions.action_event_fields(event, given.data), "role": given.role, "actor": given.actor}
    if event == "measures_submitted":
        data["needs_sign_off"] = permissions.needs_sign_off(draft, data)
    refused = permissions.find_refusal(draft, permissions.effective_action(draft, given.action), event, given.at, data)
    if given.denied:
        refused = permissions.ActionRefusal(given.denied, rule=permissions.AUTHORITY_RULE)
    if refused is not None:
        _add_refusal(draft, given, refused)
        return
    _add_engine_fields(draft, given, event, data)
    draft.add_event(event, given.at, data, "action")


def _add_engine_fields(draft: DecisionBuilder, given: TakeAction, event: str, data: dict[str, Any]) -> None:
    """What the engine knows about an event besides the action's own data."""
    case = draft.case
    if event in ("classified", "reclassified") and "class" in data:
        if event == "reclassified":
            data["from_class"] = case.class_
        case.decided_by_person.append("class")
    if event in ("routed", "reassigned"):
        data["by"] = given.role
        case.decided_by_person.append("department")
    if not case.owner and given.role not in NON_OWNER_ROLES and any(entry.first_asked for entry in draft.rulebook.procedure.ownership):
        case.owner = given.role
    if given.action in permissions.EXTENSION_ACTIONS:
        plan = permissions.find_clock(draft, data["clock"])
        data["clock"] = plan.clock.id if plan else data["clock"]
        data.update(draft.rule_fields(plan.clock.id, plan.clauses) if plan else {})
    rules = draft.rulebook.permissions_by_action.get(permissions.effective_action(draft, given.action), ())
    if rules and "clause" not in data:
        data.update(draft.rule_fields(given.action, next((rule.clauses for rule in rules if rule.clauses), [])))


def _add_refusal(draft: DecisionBuilder, given: TakeAction, refused: permissions.ActionRefusal) -> None:
    because = draft.rule_fields(refused.rule, refused.clauses)
    data = {**because, "action": given.action, "reason": refused.reason, "role": given.role, "actor": given.actor, "data": given.data}
    if refused.late:
        data["late"] = True
    draft.add_event("action_refused", given.at, data, "action")
