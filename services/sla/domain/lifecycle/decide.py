"""The heart: `decide` takes a case, what happened, the rulebook and the instant, and says what follows. Pure: no clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from services.sla.domain.lifecycle import clock_deadlines, clocks, escalation, permissions
from services.sla.domain.lifecycle.case import Case, ClockRun, Escalation, Event
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.effects import (
    EffectContext,
    apply_effects,
    execute_deadline_step,
    process_escalation_events,
    process_event,
)
from services.sla.domain.rules.rulebook import ClockPlan, Rulebook, first_clauses
from shared.contracts.actions import ACTION_DEFINITIONS

AUTHORITY_RULE = "authority"
"""The rule of a refusal that rests on who acted, not on the procedure."""
NON_OWNER_ROLES = frozenset({"", "system", "triage", "complainant"})
"""Roles that are never asked for help, and so never own a case as the first who was asked."""


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A registered complaint with triage's first decision. `registered` and `classified` are those events' fields."""

    case: str
    procedure: str
    version: int
    received_at: int
    registered_at: int
    complaint: dict[str, Any]
    registered: dict[str, Any]
    classified: dict[str, Any]
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TakeAction:
    """An action at an instant by an actor who is known; `data` is the action's data, instants in microseconds.

    `denied` says why the actor may not act in that role at all; the action is then refused, and the ledger says so.
    """

    action: str
    at: int
    role: str
    actor: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    denied: str = ""


@dataclass(frozen=True, slots=True)
class ApplyDecision:
    """A decision of triage on a case that exists (routed, route_proposed, reclassified, linked, amended, group_found), or notify's news."""

    event: str
    at: int
    data: dict[str, Any]
    cause: str = "triage"


@dataclass(frozen=True, slots=True)
class AdvanceTime:
    """Time has passed: everything that happened up to `upto` is known, so what is due by then is carried out."""

    upto: int


@dataclass(frozen=True, slots=True)
class Recalculate:
    """The calendars have changed: every deadline is counted again, and each that moves is an event."""

    at: int
    reason: str = "calendar"


CaseInput = OpenCase | TakeAction | ApplyDecision | AdvanceTime | Recalculate


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
        following = execute_due(draft, case_input.registered_at - 1)
    elif case is None:
        raise ValueError("the case is not known; its registration has to come first")
    else:
        draft = DecisionBuilder(case.working_copy(), rulebook, now)
        if isinstance(case_input, AdvanceTime):
            following = execute_due(draft, case_input.upto)
        else:
            execute_due(draft, case_input.at - 1)
            _apply_input(draft, case_input)
            following = execute_due(draft, case_input.at - 1)
    return CaseDecision(draft.case, draft.events, following)


def _apply_input(draft: DecisionBuilder, given: TakeAction | ApplyDecision | Recalculate) -> None:
    match given:
        case TakeAction():
            _take_action(draft, given)
        case ApplyDecision():
            _apply_decision(draft, given)
        case Recalculate():
            clocks.recalculate_deadlines(draft, given.at, given.reason)


def next_due(case: Case) -> int | None:
    """The next instant at which something of the case is due; None if nothing is."""
    first: int | None = None
    for rounds in case.rounds.values():
        current = rounds[-1]
        if current.is_active:
            first = _earlier_instant(first, current.next_occurrence)
            first = _earliest_pending(first, current.dues, current.done)
            if current.reminders:
                first = _earliest_pending(first, current.reminders, current.reminded)
    for climb in case.climbs:
        if climb.active:
            first = _earlier_instant(first, climb.next)
    return first


def _earlier_instant(first: int | None, at: int | None) -> int | None:
    return at if first is None or (at is not None and at < first) else first


def _earliest_pending(first: int | None, instants: list[int | None], done: list[int]) -> int | None:
    """The earliest of an instant and those that are still to come."""
    for place, at in enumerate(instants):
        if at is not None and (first is None or at < first) and place not in done:
            first = at
    return first


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
    process_event(draft, "registered", given.registered_at, {**draft.rule_fields("register", register), **given.registered}, "opening")
    process_event(draft, "classified", given.registered_at, dict(given.classified))


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
    process_event(draft, kind, given.at, data, given.cause)


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
        refused = permissions.ActionRefusal(given.denied, rule=AUTHORITY_RULE)
    if refused is not None:
        _add_refusal(draft, given, refused)
        return
    _add_engine_fields(draft, given, event, data)
    process_event(draft, event, given.at, data, "action")
    if event == "escalation_acknowledged":
        escalation.acknowledge_escalations(draft)


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
    process_event(draft, "action_refused", given.at, data, "action")


@dataclass(frozen=True, slots=True, order=True)
class _DueItem:
    """Something that is due; at equal instants reminders come before dues, dues before repeats, ladders last."""

    at: int
    rank: int
    order: int
    index: int


def execute_due(draft: DecisionBuilder, upto: int) -> int | None:
    """Carry out all that is due by an instant, each at its own instant, in order; gives the next instant after that."""
    while (due := next_due(draft.case)) is not None and due <= upto:
        step, plan, climb = min(_due_items(draft, upto), key=lambda each: each[0])
        if climb is not None:
            seen = len(draft.events)
            escalation.advance_escalation(draft, climb, step.at)
            process_escalation_events(draft, seen)
        elif plan is not None:
            _execute_item(draft, plan, draft.case.rounds[plan.clock.id][-1], step, upto)
    return due


def _due_items(draft: DecisionBuilder, upto: int) -> Iterator[tuple[_DueItem, ClockPlan | None, Escalation | None]]:
    case = draft.case
    for order, plan in enumerate(draft.rulebook.clock_plans.values()):
        current = case.current_run(plan.clock.id)
        if current is None or not current.is_active:
            continue
        for place, at in enumerate(current.reminders):
            if at is not None and at <= upto and place not in current.reminded:
                yield _DueItem(at, 0, order, place), plan, None
        for place, at in enumerate(current.dues):
            if at is not None and at <= upto and place not in current.done:
                yield _DueItem(at, 1, order, place), plan, None
        if current.next_occurrence is not None and current.next_occurrence <= upto:
            yield _DueItem(_missed_occurrences(draft, plan, current, upto)[0], 2, order, 0), plan, None
    for place, climb in enumerate(case.climbs):
        if climb.active and climb.next is not None and climb.next <= upto:
            yield _DueItem(climb.next, 3, place, 0), None, climb


def _missed_occurrences(draft: DecisionBuilder, plan: ClockPlan, current: ClockRun, upto: int) -> tuple[int, int]:
    """The last occurrence by an instant, and how many there were: those missed in an outage are carried out as one."""
    at = current.next_occurrence or 0
    number = 1
    while (following := clock_deadlines.next_occurrence_after(draft, plan, current, at)) is not None and following <= upto:
        at, number = following, number + 1
    return at, number


def _execute_item(draft: DecisionBuilder, plan: ClockPlan, current: ClockRun, step: _DueItem, upto: int) -> None:
    match step.rank:
        case 0:
            current.reminded = [*current.reminded, step.index]
            chase = EffectContext(step.at, plan.clock.id, plan, current, current.due_at, about="due", from_timer=True)
            apply_effects(draft, plan.reminders[step.index].effects, chase)
        case 1:
            execute_deadline_step(draft, plan, current, step.index)
        case _:
            missed = _missed_occurrences(draft, plan, current, upto)[1]
            current.occurred = step.at
            current.next_occurrence = clock_deadlines.next_occurrence_after(draft, plan, current, step.at)
            apply_effects(
                draft,
                plan.repeat_effects,
                EffectContext(step.at, plan.clock.id, plan, current, step.at, missed, about="due", from_timer=True),
            )
