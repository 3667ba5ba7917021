"""Adds the engine's defaults for limits to plans: messages before, at and after each limit.

They become ordinary reminders and effects of the plans, so that deciding, replay and messages need nothing of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction

from services.sla.domain.deadlines.reminder import ReminderTiming
from services.sla.domain.rules.plans import (
    RESTARTS,
    STARTS,
    ClockPlan,
    DeadlineStep,
    PlannedEffect,
    PlannedReminder,
    SelectorMatch,
    optional_condition,
)
from shared.procedures.model.effects import Breach, Effect, Escalate, Notify, RaiseLevel, Remind, role_tuple
from shared.procedures.model.timed_entries import ClockEntry, LimitDefaults

REMINDER_RULE, CHASE_RULE, ESCALATION_RULE, PERIOD_RULE = "limit_reminder", "limit_chase", "limit_escalation", "period_missed"
RECEIPT_EVENTS = frozenset({"signed", "routed"})
"""Events by which a unit receives a case."""
_COUNTED_AGAIN = ("clock", "working", "part")


class ClimbLine(Effect):
    """Inform the role above the clock's owner after the shortest of these times, then each further role above it, until the clock ends.

    It does nothing where the nearest role above is one of `told`, which the entry informs at due, or where there is no role above.
    """

    climb_after: list[str]
    told: list[str] = []


class TellAbove(Effect):
    """Inform the role above the clock's owner at once."""

    tell_above: bool = True


def add_limit_defaults(plan: ClockPlan, procedure_limits: LimitDefaults) -> ClockPlan:
    """Return the plan with the engine's defaults for limits, added where the clock has no entries of its own."""
    clock = plan.clock
    limits = clock.effective_limits(procedure_limits)
    reminders = (*plan.reminders, *_default_reminders(plan, limits))
    own_time = limits.own_time and not plan.counts_by_department and any(event in plan.matches[STARTS] for event in RECEIPT_EVENTS)
    return replace(
        plan,
        reminders=reminders,
        deadline_steps=tuple(_with_defaults(clock, step, limits, plan.clauses) for step in plan.deadline_steps),
        repeat_effects=plan.repeat_effects or _repeat_reminder(plan, limits),
        missed_effects=_missed_effects(plan, limits),
        needs_replanning=plan.needs_replanning or any(reminder.when for reminder in reminders),
        own_time=own_time,
        matches=_with_reassigned(plan) if own_time else plan.matches,
    )


def _default_reminders(plan: ClockPlan, limits: LimitDefaults) -> list[PlannedReminder]:
    if limits.remind_at is None:
        return []
    timing = ReminderTiming(share=Fraction(str(limits.remind_at)))
    reminders = []
    for index, step in enumerate(plan.deadline_steps):
        breach = _breach_of(step)
        declared = [entry.when for entry in plan.clock.reminders if entry.of == index]
        if breach is None or None in declared:
            continue
        when = _condition([*_negated(declared), breach.when])
        effect = PlannedEffect(Remind(remind="owner"), _step_clauses(step, plan.clauses), None, REMINDER_RULE)
        reminders.append(PlannedReminder(timing, index, optional_condition(when), (effect,)))
    return reminders


def _with_defaults(clock: ClockEntry, step: DeadlineStep, limits: LimitDefaults, clock_clauses: list[str]) -> DeadlineStep:
    breach = _breach_of(step)
    if breach is None:
        return step
    clauses = _step_clauses(step, clock_clauses)
    owners = {"owner", *(role_tuple(clock.owner) if isinstance(clock.owner, str | list) else ())}
    effects = [planned.effect for planned in step.effects]
    added = []
    if limits.tell_owner:
        telling = [effect.when for effect in effects if _told_roles(effect) & owners]
        added += _default_effect(Notify(notify="owner", by=["sms", "email"]), telling, breach, clauses, CHASE_RULE)
    if limits.escalate_after is not None:
        others = [effect for effect in effects if _told_roles(effect) - owners]
        # Who stands above the owner is known by the organisation only: a unit beside him (internal-customers 4.2) is not the one above.
        told = sorted({role for effect in others if effect.when is None for role in _told_roles(effect) - owners})
        telling_above = [effect.when for effect in effects if isinstance(effect, Escalate | RaiseLevel)]
        telling_above += [effect.when for effect in others if effect.when is not None]
        intervals = [limits.escalate_after]
        if step.duration is not None and step.duration.kind in _COUNTED_AGAIN:
            intervals.append(str(step.duration))
        added += _default_effect(ClimbLine(climb_after=intervals, told=told), telling_above, breach, clauses, ESCALATION_RULE)
    # Next to the breach: an event that the entry deems afterwards ends the clock, and with it the way up.
    place = next(index for index, effect in enumerate(effects) if effect is breach) + 1
    return replace(step, effects=(*step.effects[:place], *added, *step.effects[place:]))


def _default_effect(
    effect: Effect, replaced_when: Sequence[str | None], breach: Breach, clauses: list[str], rule: str
) -> list[PlannedEffect]:
    """The effect, for the cases in which none of the entry's own takes its place."""
    if None in replaced_when:
        return []
    return [PlannedEffect(effect, clauses, optional_condition(_condition([*_negated(replaced_when), breach.when])), rule)]


def _repeat_reminder(plan: ClockPlan, limits: LimitDefaults) -> tuple[PlannedEffect, ...]:
    if plan.every is None or limits.remind_at is None:
        return ()
    return (PlannedEffect(Remind(remind="owner"), plan.clauses, None, REMINDER_RULE),)


def _missed_effects(plan: ClockPlan, limits: LimitDefaults) -> tuple[PlannedEffect, ...]:
    if plan.every is None or not limits.missed_period:
        return ()
    return tuple(PlannedEffect(effect, plan.clauses, None, PERIOD_RULE) for effect in (Breach(), TellAbove()))


def _with_reassigned(plan: ClockPlan) -> dict[str, dict[str, tuple[SelectorMatch, ...]]]:
    """The selectors of a clock that starts on `routed`: it begins again with the unit that takes over."""
    starting = plan.matches[STARTS].get("routed")
    if starting is None or "reassigned" in plan.matches[STARTS]:
        return plan.matches
    return {**plan.matches, RESTARTS: {"reassigned": starting, **plan.matches[RESTARTS]}}


def _breach_of(step: DeadlineStep) -> Breach | None:
    return next((planned.effect for planned in step.effects if isinstance(planned.effect, Breach)), None)


def _step_clauses(step: DeadlineStep, clock_clauses: list[str]) -> list[str]:
    return next((planned.clauses for planned in step.effects if isinstance(planned.effect, Breach)), clock_clauses)


def _told_roles(effect: Effect) -> set[str]:
    """The roles of the organisation that an effect informs."""
    roles = effect.remind if isinstance(effect, Remind) else effect.notify if isinstance(effect, Notify) else ()
    return set(role_tuple(roles)) - {"complainant"} if roles else set()


def _negated(conditions: Iterable[str | None]) -> list[str]:
    return [f"!({condition})" for condition in conditions if condition is not None]


def _condition(parts: Sequence[str | None]) -> str | None:
    present = [part for part in parts if part is not None]
    return " && ".join(f"({part})" for part in present) if present else None
