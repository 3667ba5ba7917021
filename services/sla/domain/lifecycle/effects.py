"""What is done when a clock is due, a reminder falls due, or a reaction is called for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from services.sla.domain.lifecycle import clocks, escalation, notifications
from services.sla.domain.lifecycle.case import ClockRun, Event
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.rules.plans import ClockPlan, PlannedEffect, ReactionPlan
from shared.procedures.model.effects import (
    AssignHandler,
    Breach,
    CancelClock,
    DeemEvent,
    Effect,
    Escalate,
    Notify,
    RaiseLevel,
    Reclassify,
    RefuseActions,
    Remind,
    SetFacts,
    StartClock,
    role_tuple,
)


@dataclass(frozen=True, slots=True)
class EffectContext:
    """Why effects are carried out: at which instant, by which entry, on which round of which clock, after which event.

    `title` is that of a reaction, in Chinese and English; `overdue` is True if one of the effects records a breach.
    """

    at: int
    rule: str
    plan: ClockPlan | None = None
    run: ClockRun | None = None
    due_at: int | None = None
    occurrences: int = 1
    event: Event | None = None
    about: str = ""
    from_timer: bool = False
    title: tuple[str, str] = ("", "")
    overdue: bool = False


def execute_deadline_step(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, step_index: int) -> None:
    """Carry out what a due entry of a round does at its instant."""
    at = run.dues[step_index]
    if at is not None:
        run.done = [*run.done, step_index]
        apply_effects(
            builder, plan.deadline_steps[step_index].effects, EffectContext(at, plan.clock.id, plan, run, at, about="due", from_timer=True)
        )


def run_reactions(builder: DecisionBuilder, event: Event) -> None:
    """Carry out the reactions on an event."""
    for reaction in builder.rulebook.reactions_by_event.get(event.type, ()):
        if _reaction_applies(builder, reaction, event):
            apply_effects(
                builder, reaction.effects, EffectContext(event.at, reaction.id, event=event, about=event.type, title=reaction.title)
            )


def apply_effects(builder: DecisionBuilder, planned_effects: Iterable[PlannedEffect], context: EffectContext) -> None:
    """Carry out effects in their written order."""
    effects = tuple(planned_effects)
    if any(isinstance(planned.effect, Breach) and builder.holds_with_event(planned.when, context.event) for planned in effects):
        context = replace(context, overdue=True)
    for doing in effects:
        if builder.holds_with_event(doing.when, context.event):
            _EFFECT_HANDLERS[type(doing.effect)](builder, doing, doing.effect, context)


def _reaction_applies(draft: DecisionBuilder, reaction: ReactionPlan, event: Event) -> bool:
    if event.type == "measures_submitted" and event.data.get("needs_sign_off"):
        return False
    return draft.holds_with_event(reaction.when, event) and any(draft.selects(match, event) for match in reaction.matches[event.type])


def _cause(occasion: EffectContext) -> str:
    return "timer" if occasion.from_timer else ""


def _breach(draft: DecisionBuilder, doing: PlannedEffect, effect: Breach, occasion: EffectContext) -> None:
    run = occasion.run
    if run is not None and run.breached is None:
        run.breached = occasion.at
    data = {**_run_fields(draft, occasion), **draft.effect_rule_fields(doing, occasion.rule)}
    if effect.in_principle:
        data["in_principle"] = True
    if occasion.occurrences > 1:
        data["occurrences"] = occasion.occurrences
    draft.add_event("clock_breached", occasion.at, data, _cause(occasion))


def _remind(draft: DecisionBuilder, doing: PlannedEffect, effect: Remind, occasion: EffectContext) -> None:
    roles, because = _resolve_roles(draft, effect.remind, occasion), draft.effect_rule_fields(doing, occasion.rule)
    reached = [role for role in (notifications.reachable_role(draft, role, occasion.at) for role in roles) if role is not None]
    data = {**_run_fields(draft, occasion), **because, "role": roles[0], "recipients": list(dict.fromkeys(reached)), "by": list(effect.by)}
    if occasion.occurrences > 1:
        data["occurrences"] = occasion.occurrences
    draft.add_event("reminded", occasion.at, data, _cause(occasion))
    notifications.notify_roles_or_superiors(draft, occasion.at, roles, because, _notification_options(effect, "reminded", occasion))


def _notify(draft: DecisionBuilder, doing: PlannedEffect, effect: Notify, occasion: EffectContext) -> None:
    about = "clock_breached" if occasion.overdue and occasion.plan else occasion.about or "due"
    message = _notification_options(effect, about, occasion, urgent=effect.urgent)
    notifications.notify_roles_or_superiors(
        draft, occasion.at, _resolve_roles(draft, effect.notify, occasion), draft.effect_rule_fields(doing, occasion.rule), message
    )


def _escalate(draft: DecisionBuilder, doing: PlannedEffect, effect: Escalate, occasion: EffectContext) -> None:
    clock = occasion.plan.clock.id if occasion.plan else ""
    escalation.escalate(draft, occasion.at, effect.escalate, draft.effect_rule_fields(doing, occasion.rule), clock, list(effect.by))


def _deem(draft: DecisionBuilder, doing: PlannedEffect, effect: DeemEvent, occasion: EffectContext) -> None:
    plan, current = occasion.plan, occasion.run
    if current is not None:
        current.deemed = effect.deem
    data = {**_run_fields(draft, occasion), **draft.effect_rule_fields(doing, occasion.rule), "role": "system"}
    draft.add_event(effect.deem, occasion.at, data, _cause(occasion))
    if plan is not None and current is not None and current.is_active:
        clocks.stop_run(draft, plan, current, occasion.at)


def _reclassify(draft: DecisionBuilder, doing: PlannedEffect, effect: Reclassify, occasion: EffectContext) -> None:
    data = {**draft.effect_rule_fields(doing, occasion.rule), "role": "system", "from_class": draft.case.class_}
    if effect.reclassify:
        data["class"] = effect.reclassify
    if effect.kind:
        data["kind"] = effect.kind
    draft.add_event("reclassified", occasion.at, data, _cause(occasion))


def _raise_level(draft: DecisionBuilder, doing: PlannedEffect, effect: RaiseLevel, occasion: EffectContext) -> None:
    levels = draft.rulebook.procedure.levels
    draft.case.level = min(draft.case.level + effect.raise_level, max(len(levels) - 1, 0))
    role = levels[draft.case.level] if levels else notifications.case_owner(draft)
    reached = notifications.reachable_role(draft, role, occasion.at)
    told = [reached] if reached else []
    because = draft.effect_rule_fields(doing, occasion.rule)
    data = {**because, "role": role, "recipients": told, "level": draft.case.level, "reason": "level"}
    draft.add_event("escalated", occasion.at, data, _cause(occasion))
    message = {"by": ["sms", "email"], "about": "escalated", "urgent": True, "values": _message_values(occasion)}
    notifications.notify_roles_or_superiors(draft, occasion.at, [role], because, message)


def _set_facts(draft: DecisionBuilder, doing: PlannedEffect, effect: SetFacts, occasion: EffectContext) -> None:
    data = {**draft.effect_rule_fields(doing, occasion.rule), "role": "system", "facts": dict(effect.set)}
    draft.add_event("amended", occasion.at, data)


def _assign(draft: DecisionBuilder, doing: PlannedEffect, effect: AssignHandler, occasion: EffectContext) -> None:
    person = next(iter(notifications.role_holders(draft, effect.assign, occasion.at)), "")
    data = {**draft.effect_rule_fields(doing, occasion.rule), "role": effect.assign, "to_role": effect.assign, "person": person}
    draft.add_event("assigned", occasion.at, data)


def _start_clock(draft: DecisionBuilder, _doing: PlannedEffect, effect: StartClock, occasion: EffectContext) -> None:
    clocks.start_by_effect(draft, effect.start, occasion.at)


def _cancel_clock(draft: DecisionBuilder, _doing: PlannedEffect, effect: CancelClock, occasion: EffectContext) -> None:
    clocks.cancel_by_effect(draft, effect.cancel, occasion.at, occasion.rule)


def _refuse_further(draft: DecisionBuilder, doing: PlannedEffect, effect: RefuseActions, _occasion: EffectContext) -> None:
    for action in role_tuple(effect.refuse_further):
        draft.case.windows[action] = doing.clauses


_EFFECT_HANDLERS: dict[type[Effect], Callable[[DecisionBuilder, PlannedEffect, Any, EffectContext], None]] = {
    Breach: _breach,
    Remind: _remind,
    Notify: _notify,
    Escalate: _escalate,
    DeemEvent: _deem,
    Reclassify: _reclassify,
    RaiseLevel: _raise_level,
    SetFacts: _set_facts,
    AssignHandler: _assign,
    StartClock: _start_clock,
    CancelClock: _cancel_clock,
    RefuseActions: _refuse_further,
}
"""What carries out each kind of effect."""


def _run_fields(draft: DecisionBuilder, occasion: EffectContext) -> dict[str, Any]:
    if occasion.plan is None or occasion.run is None:
        return {}
    data = clocks.clock_event_fields(draft, occasion.plan, occasion.run)
    data.pop("clauses", None)  # the effect's own clauses stand for these
    return data if occasion.due_at is None else {**data, "due_at": occasion.due_at}


def _resolve_roles(draft: DecisionBuilder, roles: str | list[str], occasion: EffectContext) -> list[str]:
    """The roles meant: `owner` is the clock's, or the case's."""
    return [_responsible_role(draft, occasion) if role == "owner" else role for role in role_tuple(roles)]


def _responsible_role(draft: DecisionBuilder, occasion: EffectContext) -> str:
    return clocks.clock_owner(draft, occasion.plan) if occasion.plan else notifications.case_owner(draft)


def _notification_options(effect: Remind | Notify, about: str, occasion: EffectContext, *, urgent: bool = False) -> dict[str, Any]:
    return {
        "by": list(effect.by),
        "about": about,
        "template": effect.template,
        "urgent": urgent,
        "values": _message_values(occasion),
    }


def _message_values(occasion: EffectContext) -> dict[str, Any]:
    """What a message states of its occasion: the round of the clock, or the title of the reaction."""
    if occasion.plan is None or occasion.run is None:
        return notifications.title_values(*occasion.title)
    due_at = occasion.run.due_at if occasion.due_at is None else occasion.due_at
    return notifications.clock_values(occasion.plan.clock, occasion.run.start, due_at, overdue=occasion.overdue)
