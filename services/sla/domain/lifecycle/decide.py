"""The decision on a case: what is due before the input, the input, and the event loop that follows up every event."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from services.sla.domain.lifecycle import clocks, due_items, escalation, permissions
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.decision_builder import END_EVENTS, DecisionBuilder
from services.sla.domain.lifecycle.defaults.action_refusal import ActionRefusal
from services.sla.domain.lifecycle.defaults.complainant_requests import (
    REQUEST_EVENTS,
    event_type_of_request,
    follow_up_request,
    tell_responsible,
)
from services.sla.domain.lifecycle.due_items import next_due
from services.sla.domain.lifecycle.effects import run_reactions
from services.sla.domain.lifecycle.findings.rules import finding_fields
from services.sla.domain.lifecycle.inputs import AdvanceTime, ApplyDecision, CaseInput, OpenCase, Recalculate, TakeAction
from services.sla.domain.lifecycle.links.duplicates import FOLLOWED_EVENTS, follow_link_event
from services.sla.domain.lifecycle.links.duplicates import RULE as DUPLICATE_RULE
from services.sla.domain.lifecycle.links.messages import CASE_CAUSE, CaseMessage, messages_to_other_cases
from services.sla.domain.lifecycle.notifications import COMPLAINANT_ROLE, NotificationOptions, notify_roles
from services.sla.domain.lifecycle.permitting.extension_requests import EXTENSION_ACTIONS, find_clock
from services.sla.domain.lifecycle.reviews.decisions import REVIEW_DECIDED, carry_out_review, decided_fields
from services.sla.domain.messages.merging import merge_requests
from services.sla.domain.rules.plans import first_clauses
from services.sla.domain.rules.rulebook import Rulebook
from shared.contracts.actions import ACTION_DEFINITIONS

MAX_FOLLOW_UPS = 1000
"""Events that one input or due item may cause; the longest decision in the packs' scenarios has 16."""
_NEVER_FIRST_ASKED = frozenset({"", "system", "triage", "complainant"})
"""Roles that do not become the case's owner by being the first who acts."""


class UnknownActionError(ValueError):
    """An action that the vocabulary does not have; the text names those that it has."""


class ProcedureLoopError(ValueError):
    """Events of a procedure cause each other without end; the text names the event."""


@dataclass(frozen=True, slots=True)
class CaseDecision:
    """The case after the decision, the events in order, the next instant at which something is due (None if nothing is), and messages.

    `messages` are inputs for the case's lead or duplicates; `failed_conditions` could not be evaluated on the case.
    """

    case: Case
    events: list[Event]
    next_due: int | None
    messages: list[CaseMessage] = field(default_factory=list)
    failed_conditions: tuple[str, ...] = ()


def decide(case: Case | None, case_input: CaseInput, rulebook: Rulebook, now: int) -> CaseDecision:
    """Decide what follows from an input; pure, without clock or I/O.

    `now` (microseconds) is the instant of the decision, at or after that of the input. What was due before the input is
    executed first, so a late action finds the clock breached. Raises `ValueError` if the case cannot take such an input.
    """
    if isinstance(case_input, OpenCase):
        builder = DecisionBuilder(_new_case(case_input), rulebook, now)
        # Clocks count from the receipt, so some may have been due before the registration.
        _open_case(builder, case_input)
        next_due_at = _execute_due(builder, case_input.registered_at - 1)
    elif case is None:
        raise ValueError("the case is not known; its registration has to come first")
    else:
        builder = DecisionBuilder(case.working_copy(), rulebook, now)
        if isinstance(case_input, AdvanceTime):
            next_due_at = _execute_due(builder, case_input.upto)
        else:
            # Up to the instant before: an action at the very due instant is in time (time.md).
            _execute_due(builder, case_input.at - 1)
            _apply_input(builder, case_input)
            _follow_up_events(builder)
            # A guard that becomes true only now counts from its start event, so its deadline may have passed (time.md, Known late).
            next_due_at = _execute_due(builder, case_input.at - 1)
    merge_requests(builder.events)
    messages = messages_to_other_cases(builder, case)
    return CaseDecision(builder.case, builder.events, next_due_at, messages, tuple(builder.failed_conditions))


def _follow_up_events(builder: DecisionBuilder) -> None:
    """The event loop: follow up each event once, in the order in which the events were added.

    An event is applied to the case when it is added, whichever input, clock or effect it comes from. When its turn comes,
    its clocks come first, in the order of time.md for equal instants, then the reactions on it in their written order;
    the events that these add go to the end of the list. Raises `ProcedureLoopError` if the list does not end.
    """
    for _ in range(MAX_FOLLOW_UPS):
        if not builder.pending:
            return
        event = builder.pending.popleft()
        plans = builder.rulebook.plans_by_event.get(event.type, ())
        clocks.apply_stops_and_cancels(builder, plans, event)
        due_items.execute_before_interruption(builder, plans, event)
        clocks.apply_pauses_and_starts(builder, plans, event)
        # Before the reactions, since one of them may start an escalation that has to stay active.
        escalation.end_escalations(builder, event)
        run_reactions(builder, event)
        if event.type in FOLLOWED_EVENTS:
            follow_link_event(builder, event)
        if event.type in REQUEST_EVENTS:
            follow_up_request(builder, event)
        if event.type == REVIEW_DECIDED:
            carry_out_review(builder, event)
        if event.type == "link_proposed":
            tell_responsible(builder, event.at, event.data["rule"], event.type, {"to_case": event.data["to_case"]})
        if event.type == "measures_signed_off":
            # Only now, since selectors take a sign-off for measures while there are some that wait for it.
            builder.case.unsigned = False
    if builder.pending:
        raise ProcedureLoopError(_describe_loop(builder))


def _describe_loop(builder: DecisionBuilder) -> str:
    # Requests to notify and the like are in the loop too, but no condition on them would end it.
    reacted_to = [event.type for event in builder.events if event.type in builder.rulebook.reactions_by_event]
    ((event_type, _),) = Counter(reacted_to or [event.type for event in builder.events]).most_common(1)
    return f"{event_type} causes itself without end; give a reaction or a clock on {event_type} a condition"


def _execute_due(builder: DecisionBuilder, upto: int) -> int | None:
    """Execute all that is due by an instant, each item at its own instant; the result is the next instant after that."""
    while (due_at := next_due(builder.case)) is not None and due_at <= upto:
        due_items.execute_first(builder, upto)
        _follow_up_events(builder)
    return due_at


def _new_case(case_input: OpenCase) -> Case:
    classified = case_input.classified
    return Case(
        id=case_input.case,
        procedure=case_input.procedure,
        version=case_input.version,
        number=case_input.registered.get("number", ""),
        received_at=case_input.received_at,
        registered_at=case_input.registered_at,
        complaint=case_input.complaint,
        parameters=case_input.parameters,
        kind=classified.get("kind") or "complaint",
        class_=classified.get("class", ""),
        rule=classified.get("rule", ""),
        subject=classified.get("subject", ""),
        proposed=classified.get("department", ""),
        facts=dict(classified.get("facts", {})),
        complainant_keys=case_input.registered.get("complainant_keys", []),
    )


def _open_case(builder: DecisionBuilder, case_input: OpenCase) -> None:
    clauses = first_clauses(builder.rulebook.procedure.register_.clause)
    registered = {**builder.rule_fields("register", clauses), **case_input.registered}
    builder.add_event("registered", case_input.registered_at, registered, "opening")
    _follow_up_events(builder)
    builder.add_event("classified", case_input.registered_at, dict(case_input.classified))
    _follow_up_events(builder)


def _apply_input(builder: DecisionBuilder, case_input: TakeAction | ApplyDecision | Recalculate) -> None:
    match case_input:
        case TakeAction():
            _take_action(builder, case_input)
        case ApplyDecision():
            _apply_decision(builder, case_input)
        case Recalculate():
            clocks.recalculate_deadlines(builder, case_input.at, case_input.reason)


def _apply_decision(builder: DecisionBuilder, case_input: ApplyDecision) -> None:
    case, event_type, data = builder.case, case_input.event, dict(case_input.data)
    if case_input.cause == CASE_CAUSE:
        _apply_message(builder, case_input, data)
        return
    # A person's decision outranks a later automatic one (vocabulary.md).
    if event_type in ("routed", "route_proposed") and "department" in case.decided_by_person:
        event_type, data = _outranked_by_person("route", "department", data)
    elif event_type in ("classified", "reclassified") and "class" in case.decided_by_person:
        event_type, data = _outranked_by_person("reclassify", "class", data)
    elif event_type == "routed" and case.department:
        event_type = "reassigned"
    if event_type == "reclassified":
        data.setdefault("from_class", case.class_)
    builder.add_event(event_type, case_input.at, data, case_input.cause)


def _apply_message(builder: DecisionBuilder, case_input: ApplyDecision, data: dict[str, Any]) -> None:
    """Apply what the case's lead or a duplicate of it brought about; a message that the case has outrun changes nothing."""
    case, event_type = builder.case, case_input.event
    outrun = (
        (event_type in END_EVENTS and not case.open)
        or (event_type == "reopened" and case.open)
        or (event_type == "unlinked" and case.lead != data["to_case"])
        or (event_type == "linked" and case.lead in ("", data["to_case"]))
        or (event_type == "duplicate_left" and data["duplicate"] not in {each.case for each in case.duplicates})
    )
    if outrun:
        return
    if event_type == "duplicate_joined" and case.lead == data["duplicate"]:
        # Both were linked to each other at the same time; of such a circle the case with the lower id becomes the lead.
        if case.id > data["duplicate"]:
            return
        builder.add_event("unlinked", case_input.at, {"rule": DUPLICATE_RULE, "to_case": case.lead, "as": "duplicate", "reason": "circle"})
    if event_type == "notification_requested":
        # The complainant of the duplicate knows its own number, and only its own sealed contact can be opened for it.
        data = {**data, "notification": f"{case.id}-{case.sequence + 1}", "values": {**data.get("values", {}), "number": case.number}}
        if case.complaint.get("contact"):
            data["contact"] = case.complaint["contact"]
    builder.add_event(event_type, case_input.at, data, CASE_CAUSE)
    if event_type in END_EVENTS and case.lead:
        options = NotificationOptions(by=["sms", "email"], about=event_type)
        notify_roles(builder, case_input.at, [COMPLAINANT_ROLE], {"rule": DUPLICATE_RULE}, options)


def _outranked_by_person(action: str, subject: str, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The refusal of a decision of triage, as event type and fields."""
    rule_fields: dict[str, Any] = {name: data[name] for name in ("rule", "clause", "clauses") if name in data}
    refusal = {"action": action, "role": "system", "reason": f"a person has decided the {subject}", "data": data}
    return "action_refused", {**rule_fields, **refusal}


def _take_action(builder: DecisionBuilder, case_input: TakeAction) -> None:
    if case_input.action not in ACTION_DEFINITIONS:
        raise UnknownActionError(f"there is no action {case_input.action!r}; actions are {', '.join(sorted(ACTION_DEFINITIONS))}")
    event_type = permissions.resulting_event_type(builder, case_input.action, case_input.data)
    event_type = event_type_of_request(builder, event_type, case_input.role)
    data = {**permissions.action_event_fields(event_type, case_input.data), "role": case_input.role, "actor": case_input.actor}
    if event_type == REVIEW_DECIDED:
        data = decided_fields(builder, data)
    if event_type == "measures_submitted":
        data["needs_sign_off"] = permissions.needs_sign_off(builder, data)
    action = permissions.effective_action(builder, case_input.action)
    refusal = permissions.missing_data(action, {**case_input.data, **data})
    refusal = refusal or permissions.find_refusal(builder, action, event_type, case_input.at, data)
    if case_input.denied:
        # The actor's identity is known, so the attempt belongs in the ledger.
        refusal = ActionRefusal(case_input.denied, rule=case_input.denied_by)
    if refusal is not None:
        _add_refusal(builder, case_input, refusal)
        return
    _record_decider(builder, case_input, event_type, data)
    _add_engine_fields(builder, case_input, event_type, data)
    builder.add_event(event_type, case_input.at, data, "action")


def _record_decider(builder: DecisionBuilder, case_input: TakeAction, event_type: str, data: dict[str, Any]) -> None:
    """Record what a person has decided, which outranks triage from now on, and who acts on the case first."""
    case = builder.case
    if event_type in ("classified", "reclassified") and "class" in data:
        case.decided_by_person.append("class")
    if event_type in ("routed", "reassigned"):
        case.decided_by_person.append("department")
    first_asked_owns = any(entry.first_asked for entry in builder.rulebook.procedure.ownership)
    if not case.owner and case_input.role not in _NEVER_FIRST_ASKED and first_asked_owns:
        case.owner = case_input.role


def _add_engine_fields(builder: DecisionBuilder, case_input: TakeAction, event_type: str, data: dict[str, Any]) -> None:
    """Add the fields of an event that its action's data does not have."""
    if event_type == "reclassified" and "class" in data:
        data["from_class"] = builder.case.class_
    if event_type in ("routed", "reassigned"):
        data["by"] = case_input.role
    if event_type in REQUEST_EVENTS and builder.case.lead:
        data["to_case"] = builder.case.lead
    if event_type == "unlinked" and (removed := builder.case.find_link(data)) is not None and removed.kind:
        data["as"] = removed.kind
    for name, value in finding_fields(builder, event_type, case_input.at, data).items():
        data.setdefault(name, value)
    if event_type in ("linked", "unlinked"):
        builder.case.decided_by_person.append("link")
    if case_input.action in EXTENSION_ACTIONS:
        plan = find_clock(builder, data["clock"])
        if plan is not None:
            data.update({"clock": plan.clock.id, **builder.rule_fields(plan.clock.id, plan.clauses)})
    data.update(permissions.fields_of_rules(builder, case_input.action, case_input.at, data))


def _add_refusal(builder: DecisionBuilder, case_input: TakeAction, refusal: ActionRefusal) -> None:
    data = {
        **builder.rule_fields(refusal.rule, refusal.clauses),
        "action": case_input.action,
        "reason": refusal.reason,
        "role": case_input.role,
        "actor": case_input.actor,
        "data": case_input.data,
    }
    if refusal.late:
        data["late"] = True
    builder.add_event("action_refused", case_input.at, data, "action")
