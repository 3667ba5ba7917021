"""What is due on a case by an instant, and carrying it out in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.sla.domain.lifecycle import clock_deadlines, clocks, escalation
from services.sla.domain.lifecycle.case import Case, ClockRun, Escalation, Event
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.effects import EffectContext, apply_effects, execute_deadline_step
from services.sla.domain.rules.plans import ClockPlan


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


@dataclass(frozen=True, slots=True, order=True)
class _DueItem:
    """Something that is due; at equal instants reminders come before dues, dues before repeats, ladders last."""

    at: int
    rank: int
    order: int
    index: int


def execute_first(builder: DecisionBuilder, upto: int) -> None:
    """Carry out what is due first of all that is due by an instant."""
    step, plan, climb = min(_due_items(builder, upto), key=lambda each: each[0])
    if climb is not None:
        escalation.advance_escalation(builder, climb, step.at)
    elif plan is not None:
        _execute_item(builder, plan, builder.case.rounds[plan.clock.id][-1], step, upto)


def execute_before_interruption(builder: DecisionBuilder, event: Event) -> None:
    """Carry out what is due at the very instant of an event on the runs that it is about to pause or restart."""
    for plan, run in clocks.runs_to_interrupt(builder, event):
        for step_index, at in enumerate(run.dues):
            if at == event.at and step_index not in run.done and run.is_active:
                execute_deadline_step(builder, plan, run, step_index)


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
