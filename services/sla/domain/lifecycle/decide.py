"""The heart: `decide` takes a case, what happened, the rulebook and the instant, and says what follows. Pure: no clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from services.sla.domain.lifecycle import clocks, escalation, permissions
from services.sla.domain.lifecycle.case import Case, Climb, Event, Round
from services.sla.domain.lifecycle.decision_builder import Draft
from services.sla.domain.lifecycle.effects import Occasion, answer, fall_due, happen, perform
from services.sla.domain.rules.rulebook import ClockPlan, Rulebook, clauses
from shared.contracts.actions import ACTIONS

AUTHORITY = "authority"
"""The rule of a refusal that rests on who acted, not on the procedure."""
NOBODY = frozenset({"", "system", "triage", "complainant"})
"""Roles that are never asked for help, and so never own a case as the first who was asked."""


@dataclass(frozen=True, slots=True)
class Opening:
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
class Act:
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
class Decided:
    """A decision of triage on a case that exists (routed, route_proposed, reclassified, linked, amended, group_found), or notify's news."""

    event: str
    at: int
    data: dict[str, Any]
    cause: str = "triage"


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: everything that happened up to `upto` is known, so what is due by then is carried out."""

    upto: int


@dataclass(frozen=True, slots=True)
class Recount:
    """The calendars have changed: every deadline is counted again, and each that moves is an event."""

    at: int
    reason: str = "calendar"


Input = Opening | Act | Decided | Tick | Recount


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows: the case as it stands then, the events in order, and when it has to be looked at again (None: never by itself)."""

    case: Case
    events: list[Event]
    next_due: int | None


class UnknownActionError(ValueError):
    """An action that the vocabulary does not know; the text names those that it knows."""


def decide(case: Case | None, given: Input, rulebook: Rulebook, now: int) -> Decision:
    """Decide what follows from an input. `now` (microseconds) is when the decision is made, at or after the input's instant.

    What was due before the input is carried out first: an action that comes late finds the clock breached already.
    Raises `ValueError` for an input that no such case can have.
    """
    if isinstance(given, Opening):
        draft = Draft(_opened(given), rulebook, now)
        _open(draft, given)
        following = _advance(draft, given.registered_at - 1)
    elif case is None:
        raise ValueError("the case is not known; its registration has to come first")
    else:
        draft = Draft(case.fork(), rulebook, now)
        if isinstance(given, Tick):
            following = _advance(draft, given.upto)
        else:
            _advance(draft, given.at - 1)
            _take(draft, given)
            following = _advance(draft, given.at - 1)
    return Decision(draft.case, draft.events, following)


def _take(draft: Draft, given: Act | Decided | Recount) -> None:
    match given:
        case Act():
            _act(draft, given)
        case Decided():
            _accept(draft, given)
        case Recount():
            clocks.recalculate(draft, given.at, given.reason)


def next_due(case: Case) -> int | None:
    """The next instant at which something of the case is due; None if nothing is."""
    first: int | None = None
    for rounds in case.rounds.values():
        current = rounds[-1]
        if current.live:
            first = _earlier(first, current.next_occurrence)
            first = _first_left(first, current.dues, current.done)
            if current.reminders:
                first = _first_left(first, current.reminders, current.reminded)
    for climb in case.climbs:
        if climb.active:
            first = _earlier(first, climb.next)
    return first


def _earlier(first: int | None, at: int | None) -> int | None:
    return at if first is None or (at is not None and at < first) else first


def _first_left(first: int | None, instants: list[int | None], done: list[int]) -> int | None:
    """The earliest of an instant and those that are still to come."""
    for place, at in enumerate(instants):
        if at is not None and (first is None or at < first) and place not in done:
            first = at
    return first


def _opened(given: Opening) -> Case:
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


def _open(draft: Draft, given: Opening) -> None:
    register = clauses(draft.rulebook.procedure.register_.clause)
    happen(draft, "registered", given.registered_at, {**draft.because("register", register), **given.registered}, "opening")
    happen(draft, "classified", given.registered_at, dict(given.classified))


def _accept(draft: Draft, given: Decided) -> None:
    """Apply a decision of triage or news of a message; what a person has decided outranks a later automatic decision."""
    case, kind, data = draft.case, given.event, dict(given.data)
    if kind in ("routed", "route_proposed") and "department" in case.decided_by_person:
        kind, data = _outranked("route", "department", data)
    elif kind in ("classified", "reclassified") and "class" in case.decided_by_person:
        kind, data = _outranked("reclassify", "class", data)
    elif kind == "routed" and case.department:
        kind = "reassigned"
    if kind == "reclassified":
        data.setdefault("from_class", case.class_)
    happen(draft, kind, given.at, data, given.cause)


def _outranked(action: str, what: str, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kept: dict[str, Any] = {name: data[name] for name in ("rule", "clause", "clauses") if name in data}
    return "action_refused", {**kept, "action": action, "role": "system", "reason": f"a person has decided the {what}", "data": data}


def _act(draft: Draft, given: Act) -> None:
    if given.action not in ACTIONS:
        raise UnknownActionError(f"there is no action {given.action!r}; actions are {', '.join(sorted(ACTIONS))}")
    event = permissions.event_of(draft, given.action, given.data)
    data = {**permissions.fields(event, given.data), "role": given.role, "actor": given.actor}
    if event == "measures_submitted":
        data["needs_sign_off"] = permissions.needs_sign_off(draft, data)
    refused = permissions.refusal(draft, permissions.acts_as(draft, given.action), event, given.at, data)
    if given.denied:
        refused = permissions.Refusal(given.denied, rule=AUTHORITY)
    if refused is not None:
        _refuse(draft, given, refused)
        return
    _complete(draft, given, event, data)
    happen(draft, event, given.at, data, "action")
    if event == "escalation_acknowledged":
        escalation.acknowledge(draft)


def _complete(draft: Draft, given: Act, event: str, data: dict[str, Any]) -> None:
    """What the engine knows about an event besides the action's own data."""
    case = draft.case
    if event in ("classified", "reclassified") and "class" in data:
        if event == "reclassified":
            data["from_class"] = case.class_
        case.decided_by_person.append("class")
    if event in ("routed", "reassigned"):
        data["by"] = given.role
        case.decided_by_person.append("department")
    if not case.owner and given.role not in NOBODY and any(entry.first_asked for entry in draft.rulebook.procedure.ownership):
        case.owner = given.role
    if given.action in permissions.EXTENSIONS:
        plan = permissions.clock_named(draft, data["clock"])
        data["clock"] = plan.clock.id if plan else data["clock"]
        data.update(draft.because(plan.clock.id, plan.clauses) if plan else {})
    rules = draft.rulebook.permissions.get(permissions.acts_as(draft, given.action), ())
    if rules and "clause" not in data:
        data.update(draft.because(given.action, next((rule.clauses for rule in rules if rule.clauses), [])))


def _refuse(draft: Draft, given: Act, refused: permissions.Refusal) -> None:
    because = draft.because(refused.rule, refused.clauses)
    data = {**because, "action": given.action, "reason": refused.reason, "role": given.role, "actor": given.actor, "data": given.data}
    if refused.late:
        data["late"] = True
    happen(draft, "action_refused", given.at, data, "action")


@dataclass(frozen=True, slots=True, order=True)
class _Step:
    """Something that is due; at equal instants reminders come before dues, dues before repeats, ladders last."""

    at: int
    rank: int
    order: int
    place: int


def _advance(draft: Draft, upto: int) -> int | None:
    """Carry out all that is due by an instant, each at its own instant, in order; gives the next instant after that."""
    while (due := next_due(draft.case)) is not None and due <= upto:
        step, plan, climb = min(_due_steps(draft, upto), key=lambda each: each[0])
        if climb is not None:
            seen = len(draft.events)
            escalation.step(draft, climb, step.at)
            answer(draft, seen)
        elif plan is not None:
            _fire(draft, plan, draft.case.rounds[plan.clock.id][-1], step, upto)
    return due


def _due_steps(draft: Draft, upto: int) -> Iterator[tuple[_Step, ClockPlan | None, Climb | None]]:
    case = draft.case
    for order, plan in enumerate(draft.rulebook.plans.values()):
        current = case.current(plan.clock.id)
        if current is None or not current.live:
            continue
        for place, at in enumerate(current.reminders):
            if at is not None and at <= upto and place not in current.reminded:
                yield _Step(at, 0, order, place), plan, None
        for place, at in enumerate(current.dues):
            if at is not None and at <= upto and place not in current.done:
                yield _Step(at, 1, order, place), plan, None
        if current.next_occurrence is not None and current.next_occurrence <= upto:
            yield _Step(_missed(draft, plan, current, upto)[0], 2, order, 0), plan, None
    for place, climb in enumerate(case.climbs):
        if climb.active and climb.next is not None and climb.next <= upto:
            yield _Step(climb.next, 3, place, 0), None, climb


def _missed(draft: Draft, plan: ClockPlan, current: Round, upto: int) -> tuple[int, int]:
    """The last occurrence by an instant, and how many there were: those missed in an outage are carried out as one."""
    at = current.next_occurrence or 0
    number = 1
    while (following := clocks.occurrence(draft, plan, current, at)) is not None and following <= upto:
        at, number = following, number + 1
    return at, number


def _fire(draft: Draft, plan: ClockPlan, current: Round, step: _Step, upto: int) -> None:
    match step.rank:
        case 0:
            current.reminded = [*current.reminded, step.place]
            chase = Occasion(step.at, plan.clock.id, plan, current, current.due, about="due", timer=True)
            perform(draft, plan.chases[step.place].doings, chase)
        case 1:
            fall_due(draft, plan, current, step.place)
        case _:
            missed = _missed(draft, plan, current, upto)[1]
            current.occurred = step.at
            current.next_occurrence = clocks.occurrence(draft, plan, current, step.at)
            perform(draft, plan.occurrence, Occasion(step.at, plan.clock.id, plan, current, step.at, missed, about="due", timer=True))
