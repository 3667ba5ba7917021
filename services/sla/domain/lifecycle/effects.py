"""The effects of due entries, reminders, repeats and reactions: each adds events or changes clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from services.sla.domain.lifecycle import clocks, escalation, notifications
from services.sla.domain.lifecycle.case import ClockRun, Event
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.notifications import NotificationOptions
from services.sla.domain.messages import message_values
from services.sla.domain.rules.limit_defaults import ClimbLine, TellAbove
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
    """Why effects are applied: at which instant, by which entry, on which run of which clock, after which event.

    `about` is the type of the event, or `due`; `occurrences` counts those of a repeating clock that are executed as one;
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

    @property
    def cause(self) -> str:
        """The cause of the events that the effects add."""
        return "timer" if self.from_timer else ""


def run_reactions(builder: DecisionBuilder, event: Event) -> None:
    """Apply the effects of the reactions on an event, in their written order."""
    for reaction in builder.rulebook.reactions_by_event.get(event.type, ()):
        if _reaction_applies(builder, reaction, event):
            context = EffectContext(event.at, reaction.id, event=event, about=event.type, title=reaction.title)
            apply_effects(builder, reaction.effects, context)


def apply_effects(builder: DecisionBuilder, planned_effects: Iterable[PlannedEffect], context: EffectContext) -> None:
    """Apply effects in their written order; each condition is evaluated on the case as the effects before it have left it."""
    effects = tuple(planned_effects)
    if any(isinstance(planned.effect, Breach) and builder.holds_with_event(planned.when, context.event) for planned in effects):
        context = replace(context, overdue=True)
    for planned in effects:
        if builder.holds_with_event(planned.when, context.event):
            own = replace(context, rule=planned.rule) if planned.rule else context
            _EFFECT_HANDLERS[type(planned.effect)](builder, planned, planned.effect, own)


def _reaction_applies(builder: DecisionBuilder, reaction: ReactionPlan, event: Event) -> bool:
    # Like clocks: measures that need a sign-off take effect when they are signed off.
    if event.type == "measures_submitted" and event.data.get("needs_sign_off"):
        return False
    return builder.holds_with_event(reaction.when, event) and any(builder.selects(match, event) for match in reaction.matches[event.type])


def _breach(builder: DecisionBuilder, planned: PlannedEffect, effect: Breach, context: EffectContext) -> None:
    run = context.run
    if run is not None and run.breached is None:
        run.breached = context.at
    data = {**_run_fields(builder, context), **builder.rule_fields(context.rule, planned.clauses)}
    if run is not None and any(extension.get("late") for extension in run.extensions):
        # Granted after the breach, an extension undoes nothing: missed again, it is one delay (time.md, Extension).
        data["same_delay"] = True
    if effect.in_principle:
        data["in_principle"] = True
    if context.occurrences > 1:
        data["occurrences"] = context.occurrences
    builder.add_event("clock_breached", context.at, data, context.cause)


def _remind(builder: DecisionBuilder, planned: PlannedEffect, effect: Remind, context: EffectContext) -> None:
    roles, rule_fields = _resolve_roles(builder, effect.remind, context), builder.rule_fields(context.rule, planned.clauses)
    departments = notifications.named_departments(builder, effect.departments)
    recipients = notifications.reachable_roles(builder, roles, context.at, departments)
    data = {**_run_fields(builder, context), **rule_fields, "role": roles[0], "recipients": recipients, "by": list(effect.by)}
    if context.occurrences > 1:
        data["occurrences"] = context.occurrences
    builder.add_event("reminded", context.at, data, context.cause)
    options = _notification_options(builder, effect, "reminded", context)
    notifications.notify_roles_or_superiors(builder, context.at, roles, rule_fields, options, departments)


def _notify(builder: DecisionBuilder, planned: PlannedEffect, effect: Notify, context: EffectContext) -> None:
    roles, rule_fields = _resolve_roles(builder, effect.notify, context), builder.rule_fields(context.rule, planned.clauses)
    about = "clock_breached" if context.overdue and context.plan else context.about or "due"
    options = _notification_options(builder, effect, about, context, urgent=effect.urgent)
    departments = notifications.named_departments(builder, effect.departments)
    notifications.notify_roles_or_superiors(builder, context.at, roles, rule_fields, options, departments)


def _escalate(builder: DecisionBuilder, planned: PlannedEffect, effect: Escalate, context: EffectContext) -> None:
    clock_id = context.plan.clock.id if context.plan else ""
    rule_fields = builder.rule_fields(context.rule, planned.clauses)
    escalation.escalate(builder, context.at, effect.escalate, rule_fields, clock_id, list(effect.by))


def _climb_line(builder: DecisionBuilder, planned: PlannedEffect, effect: ClimbLine, context: EffectContext) -> None:
    plan, run = context.plan, context.run
    if plan is None or run is None or not run.is_active or escalation.is_told_above(builder, plan.clock.id, context.at, effect.told):
        return
    # From when people knew: what was late before the registration, or before the fact was known, is nobody's delay.
    known_from = max(context.at, builder.case.registered_at, run.known_at or context.at)
    escalation.begin_climb(builder, plan.clock.id, known_from, planned.clauses, effect.climb_after)


def _tell_above(builder: DecisionBuilder, planned: PlannedEffect, _effect: TellAbove, context: EffectContext) -> None:
    if context.plan is not None:
        escalation.tell_above(builder, context.plan.clock.id, context.at, builder.rule_fields(context.rule, planned.clauses))


def _deem(builder: DecisionBuilder, planned: PlannedEffect, effect: DeemEvent, context: EffectContext) -> None:
    plan, run = context.plan, context.run
    data = {**_run_fields(builder, context), **builder.rule_fields(context.rule, planned.clauses), "role": "system"}
    builder.add_event(effect.deem, context.at, data, context.cause)
    if plan is None or run is None:
        return
    run.deemed = effect.deem
    if run.is_active:
        # At equal instants a stop comes first: the run stops before any clock sees the event (time.md).
        clocks.stop_run(builder, plan, run, context.at)


def _reclassify(builder: DecisionBuilder, planned: PlannedEffect, effect: Reclassify, context: EffectContext) -> None:
    data = {**builder.rule_fields(context.rule, planned.clauses), "role": "system", "from_class": builder.case.class_}
    if effect.reclassify:
        data["class"] = effect.reclassify
    if effect.kind:
        data["kind"] = effect.kind
    builder.add_event("reclassified", context.at, data, context.cause)


def _raise_level(builder: DecisionBuilder, planned: PlannedEffect, effect: RaiseLevel, context: EffectContext) -> None:
    case, levels = builder.case, builder.rulebook.procedure.levels
    case.level = min(case.level + effect.raise_level, max(len(levels) - 1, 0))
    role = levels[case.level] if levels else notifications.case_owner(builder)
    recipient = notifications.reachable_role(builder, role, context.at)
    rule_fields = builder.rule_fields(context.rule, planned.clauses)
    data = {**rule_fields, "role": role, "recipients": [recipient] if recipient else [], "level": case.level, "reason": "level"}
    builder.add_event("escalated", context.at, data, context.cause)
    options = NotificationOptions(by=["sms", "email"], about="escalated", urgent=True, values=_occasion_values(builder, context))
    notifications.notify_roles_or_superiors(builder, context.at, [role], rule_fields, options)


def _set_facts(builder: DecisionBuilder, planned: PlannedEffect, effect: SetFacts, context: EffectContext) -> None:
    data = {**builder.rule_fields(context.rule, planned.clauses), "role": "system", "facts": dict(effect.set)}
    builder.add_event("amended", context.at, data)


def _assign(builder: DecisionBuilder, planned: PlannedEffect, effect: AssignHandler, context: EffectContext) -> None:
    role = effect.assign
    if notifications.accused(builder):
        role = notifications.reachable_role(builder, role, context.at) or role
    person = next(iter(notifications.role_holders(builder, role, context.at)), "")
    data = {**builder.rule_fields(context.rule, planned.clauses), "role": effect.assign, "to_role": role, "person": person}
    builder.add_event("assigned", context.at, data)


def _start_clock(builder: DecisionBuilder, _planned: PlannedEffect, effect: StartClock, context: EffectContext) -> None:
    clocks.start_by_effect(builder, effect.start, context.at)


def _cancel_clock(builder: DecisionBuilder, _planned: PlannedEffect, effect: CancelClock, context: EffectContext) -> None:
    clocks.cancel_by_effect(builder, effect.cancel, context.at, context.rule)


def _refuse_actions(builder: DecisionBuilder, planned: PlannedEffect, effect: RefuseActions, _context: EffectContext) -> None:
    for action in role_tuple(effect.refuse_further):
        builder.case.windows[action] = planned.clauses


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
    RefuseActions: _refuse_actions,
    ClimbLine: _climb_line,
    TellAbove: _tell_above,
}


def _run_fields(builder: DecisionBuilder, context: EffectContext) -> dict[str, Any]:
    """The fields of the clock run that the effects are about; the clauses are those of the effect."""
    if context.plan is None or context.run is None:
        return {}
    data = clocks.clock_event_fields(builder, context.plan, context.run)
    data.pop("clauses", None)
    if context.due_at is None:
        return data
    data.pop("known_at", None)
    return {**data, "due_at": context.due_at, **clocks.known_late_fields(context.run, context.due_at)}


def _resolve_roles(builder: DecisionBuilder, roles: str | list[str], context: EffectContext) -> list[str]:
    """The roles that an effect names, with the clock's or the case's owner for `owner`."""
    return [_owner_role(builder, context) if role == "owner" else role for role in role_tuple(roles)]


def _owner_role(builder: DecisionBuilder, context: EffectContext) -> str:
    return notifications.clock_owner(builder, context.plan) if context.plan else notifications.case_owner(builder)


def _notification_options(
    builder: DecisionBuilder, effect: Remind | Notify, about: str, context: EffectContext, *, urgent: bool = False
) -> NotificationOptions:
    return NotificationOptions(
        by=list(effect.by),
        about=about,
        template=effect.template,
        urgent=urgent,
        values={
            **_occasion_values(builder, context),
            **message_values.wording_values(effect.wording(context.event.type if context.event else ""), builder.case),
        },
    )


def _occasion_values(builder: DecisionBuilder, context: EffectContext) -> dict[str, Any]:
    """The values of what the effects are about: the clock run, or the title of the reaction and what its event says."""
    if context.plan is None or context.run is None:
        return {
            **message_values.event_values(context.event),
            **_limit_values(builder, context.event),
            **message_values.title_values(*context.title),
        }
    due_at = context.run.due_at if context.due_at is None else context.due_at
    return message_values.clock_values(context.plan.clock, context.run.start, due_at, overdue=context.overdue)


def _limit_values(builder: DecisionBuilder, event: Event | None) -> dict[str, Any]:
    """The clock and the due instant of an event that is about a clock; a breach that a reaction states may have none."""
    # Approval by lapse of time names its clock too, but what follows is not due then.
    if event is None or not event.type.startswith("clock_"):
        return {}
    plan = builder.rulebook.clock_plans.get(event.data.get("clock", ""))
    if plan is None:
        return {}
    titles = {name: title for name, title in (("limit", plan.clock.zh), ("limit_en", plan.clock.en)) if title}
    due = {"due_at": event.data["due_at"]} if "due_at" in event.data else {}
    return {**titles, **due, **({"overdue": True} if event.type == "clock_breached" else {})}
