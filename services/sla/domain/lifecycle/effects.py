"""What is done when a clock is due, a reminder falls due, or a reaction is called for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from services.sla.domain.lifecycle import clocks, escalation, notifications
from services.sla.domain.lifecycle.case import Event, Round
from services.sla.domain.lifecycle.decision_builder import Draft
from services.sla.domain.rules.rulebook import ClockPlan, Doing, ReactionPlan
from shared.procedures.model.effects import (
    Assign,
    Breach,
    Cancel,
    Deem,
    Effect,
    Escalate,
    Notify,
    RaiseLevel,
    Reclassify,
    RefuseFurther,
    Remind,
    SetFacts,
    Start,
    names,
)

DEEPEST = 30


class ProcedureLoopError(ValueError):
    """The procedure's reactions call each other without end; the text names the event at which it was noticed."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why effects are carried out: at which instant, by which entry, on which round of which clock, after which event."""

    at: int
    rule: str
    plan: ClockPlan | None = None
    round: Round | None = None
    due: int | None = None
    occurrences: int = 1
    event: Event | None = None
    about: str = ""
    timer: bool = False
    depth: int = 0


def happen(draft: Draft, kind: str, at: int, data: dict[str, Any], cause: str = "", depth: int = 0) -> Event:
    """Add an event, let the clocks see it, and carry out the reactions that it calls for."""
    if depth > DEEPEST:
        raise ProcedureLoopError(f"reactions on {kind} call each other without end; give one of them a condition")
    event = draft.add(kind, at, data, cause)
    seen = len(draft.events)
    _tell_clocks(draft, event)
    react(draft, event, depth)
    for follower in draft.events[seen:]:
        if follower.type.startswith("clock_"):
            react(draft, follower, depth)
    if kind == "measures_signed_off":
        draft.case.unsigned = False
    return event


def answer(draft: Draft, seen: int, depth: int = 0) -> None:
    """Let clocks and reactions see what a ladder has just said, from that event on."""
    for event in draft.events[seen:]:
        if event.type in ("escalated", "no_recipient"):
            _tell_clocks(draft, event)
            react(draft, event, depth)


def fall_due(draft: Draft, plan: ClockPlan, current: Round, place: int) -> None:
    """Carry out what a due entry of a round does at its instant."""
    at = current.dues[place]
    if at is not None:
        current.done = [*current.done, place]
        perform(draft, plan.thresholds[place].doings, Occasion(at, plan.clock.id, plan, current, at, about="due", timer=True))


def _tell_clocks(draft: Draft, event: Event) -> None:
    """Stops and cancels first, then what is due at the instant of the event, then pauses, resumes and starts."""
    clocks.meet(draft, event)
    for plan, current in clocks.interrupted(draft, event):
        for place, at in enumerate(current.dues):
            if at == event.at and place not in current.done and current.live:
                fall_due(draft, plan, current, place)
    clocks.follow(draft, event)


def react(draft: Draft, event: Event, depth: int = 0) -> None:
    """Carry out the reactions on an event."""
    for reaction in draft.rulebook.reactions.get(event.type, ()):
        if _called_for(draft, reaction, event):
            perform(draft, reaction.doings, Occasion(event.at, reaction.id, event=event, about=event.type, depth=depth + 1))


def perform(draft: Draft, doings: Iterable[Doing], occasion: Occasion) -> None:
    """Carry out effects in their written order."""
    for doing in doings:
        if draft.holds_after(doing.when, occasion.event):
            _DO[type(doing.effect)](draft, doing, doing.effect, occasion)


def _called_for(draft: Draft, reaction: ReactionPlan, event: Event) -> bool:
    if event.type == "measures_submitted" and event.data.get("needs_sign_off"):
        return False
    return draft.holds_after(reaction.when, event) and any(draft.selects(match, event) for match in reaction.matches[event.type])


def _cause(occasion: Occasion) -> str:
    return "timer" if occasion.timer else ""


def _breach(draft: Draft, doing: Doing, effect: Breach, occasion: Occasion) -> None:
    data = {**_round(draft, occasion), **draft.of(doing, occasion.rule)}
    if effect.in_principle:
        data["in_principle"] = True
    if occasion.occurrences > 1:
        data["occurrences"] = occasion.occurrences
    happen(draft, "clock_breached", occasion.at, data, _cause(occasion), occasion.depth + 1)


def _remind(draft: Draft, doing: Doing, effect: Remind, occasion: Occasion) -> None:
    roles, because = _roles(draft, effect.remind, occasion), draft.of(doing, occasion.rule)
    reached = [role for role in (notifications.reached(draft, role, occasion.at) for role in roles) if role is not None]
    data = {**_round(draft, occasion), **because, "role": roles[0], "recipients": list(dict.fromkeys(reached)), "by": list(effect.by)}
    if occasion.occurrences > 1:
        data["occurrences"] = occasion.occurrences
    happen(draft, "reminded", occasion.at, data, _cause(occasion), occasion.depth + 1)
    notifications.tell(draft, occasion.at, roles, because, _message(effect, "reminded", occasion))


def _notify(draft: Draft, doing: Doing, effect: Notify, occasion: Occasion) -> None:
    message = _message(effect, occasion.about or "due", occasion, urgent=effect.urgent)
    notifications.tell(draft, occasion.at, _roles(draft, effect.notify, occasion), draft.of(doing, occasion.rule), message)


def _escalate(draft: Draft, doing: Doing, effect: Escalate, occasion: Occasion) -> None:
    seen = len(draft.events)
    clock = occasion.plan.clock.id if occasion.plan else ""
    escalation.escalate(draft, occasion.at, effect.escalate, draft.of(doing, occasion.rule), clock, list(effect.by))
    answer(draft, seen, occasion.depth + 1)


def _deem(draft: Draft, doing: Doing, effect: Deem, occasion: Occasion) -> None:
    plan, current = occasion.plan, occasion.round
    if current is not None:
        current.deemed = effect.deem
    data = {**_round(draft, occasion), **draft.of(doing, occasion.rule), "role": "system"}
    happen(draft, effect.deem, occasion.at, data, _cause(occasion), occasion.depth + 1)
    if plan is not None and current is not None and current.live:
        clocks.stop(draft, plan, current, occasion.at)


def _reclassify(draft: Draft, doing: Doing, effect: Reclassify, occasion: Occasion) -> None:
    data = {**draft.of(doing, occasion.rule), "role": "system", "from_class": draft.case.class_}
    if effect.reclassify:
        data["class"] = effect.reclassify
    if effect.kind:
        data["kind"] = effect.kind
    happen(draft, "reclassified", occasion.at, data, _cause(occasion), occasion.depth + 1)


def _raise(draft: Draft, doing: Doing, effect: RaiseLevel, occasion: Occasion) -> None:
    levels = draft.rulebook.procedure.levels
    draft.case.level = min(draft.case.level + effect.raise_level, max(len(levels) - 1, 0))
    role = levels[draft.case.level] if levels else notifications.owner(draft)
    reached = notifications.reached(draft, role, occasion.at)
    told = [reached] if reached else []
    because = draft.of(doing, occasion.rule)
    data = {**because, "role": role, "recipients": told, "level": draft.case.level, "reason": "level"}
    happen(draft, "escalated", occasion.at, data, _cause(occasion), occasion.depth + 1)
    by = {"by": ["sms", "email"], "about": "escalated", "urgent": True}
    notifications.tell(draft, occasion.at, [role], because, by)


def _set(draft: Draft, doing: Doing, effect: SetFacts, occasion: Occasion) -> None:
    data = {**draft.of(doing, occasion.rule), "role": "system", "facts": dict(effect.set)}
    happen(draft, "amended", occasion.at, data, depth=occasion.depth + 1)


def _assign(draft: Draft, doing: Doing, effect: Assign, occasion: Occasion) -> None:
    person = next(iter(notifications.holders(draft, effect.assign, occasion.at)), "")
    data = {**draft.of(doing, occasion.rule), "role": effect.assign, "to_role": effect.assign, "person": person}
    happen(draft, "assigned", occasion.at, data, depth=occasion.depth + 1)


def _start(draft: Draft, _doing: Doing, effect: Start, occasion: Occasion) -> None:
    clocks.begin(draft, effect.start, occasion.at)


def _cancel(draft: Draft, _doing: Doing, effect: Cancel, occasion: Occasion) -> None:
    clocks.abandon(draft, effect.cancel, occasion.at, occasion.rule)


def _refuse(draft: Draft, doing: Doing, effect: RefuseFurther, _occasion: Occasion) -> None:
    for action in names(effect.refuse_further):
        draft.case.windows[action] = doing.clauses


_DO: dict[type[Effect], Callable[[Draft, Doing, Any, Occasion], None]] = {
    Breach: _breach,
    Remind: _remind,
    Notify: _notify,
    Escalate: _escalate,
    Deem: _deem,
    Reclassify: _reclassify,
    RaiseLevel: _raise,
    SetFacts: _set,
    Assign: _assign,
    Start: _start,
    Cancel: _cancel,
    RefuseFurther: _refuse,
}
"""What carries out each kind of effect."""


def _round(draft: Draft, occasion: Occasion) -> dict[str, Any]:
    if occasion.plan is None or occasion.round is None:
        return {}
    data = clocks.about(draft, occasion.plan, occasion.round)
    data.pop("clauses", None)  # the effect's own clauses stand for these
    return data if occasion.due is None else {**data, "due_at": occasion.due}


def _roles(draft: Draft, roles: str | list[str], occasion: Occasion) -> list[str]:
    """The roles meant: `owner` is the clock's, or the case's."""
    return [_owner(draft, occasion) if role == "owner" else role for role in names(roles)]


def _owner(draft: Draft, occasion: Occasion) -> str:
    return clocks.owner(draft, occasion.plan) if occasion.plan else notifications.owner(draft)


def _message(effect: Remind | Notify, about: str, occasion: Occasion, *, urgent: bool = False) -> dict[str, Any]:
    return {
        "by": list(effect.by),
        "about": about,
        "template": effect.template,
        "urgent": urgent,
        "clock": occasion.plan.clock.id if occasion.plan else None,
        "due_at": occasion.due if occasion.due is not None else occasion.round.due if occasion.round else None,
    }
