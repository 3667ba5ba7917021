"""Due items of a case (reminders, due entries, repeats, escalations), executed in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from services.sla.domain.lifecycle.case import Case, ClockRun, Event
from services.sla.domain.lifecycle.clock_deadlines import next_occurrence_after
from services.sla.domain.lifecycle.clocks import interrupts
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.defaults.complainant_requests import tell_urgings, urgings_due
from services.sla.domain.lifecycle.effects import EffectContext, apply_effects
from services.sla.domain.lifecycle.escalation import advance_escalation
from services.sla.domain.rules.plans import ClockPlan

_REMINDER, _DUE_ENTRY, _REPEAT, _ESCALATION, _URGINGS = range(5)
"""The order of due items at one instant."""


@dataclass(frozen=True, slots=True, order=True)
class _DueItem:
    """Something due at an instant; `order` is the index of its clock or escalation, `index` that of its entry within the clock."""

    at: int
    rank: int
    order: int
    index: int
    execute: Callable[[], None] = field(compare=False)


def next_due(case: Case) -> int | None:
    """The next instant (microseconds) at which something of the case is due; None if nothing is."""
    # Called for every decision and every timer: no items are built for it.
    earliest: int | None = None
    if case.lead:  # a duplicate follows its lead: no clock of it reminds, fires or repeats, no ladder climbs
        return None
    for runs in case.rounds.values():
        run = runs[-1]
        if run.is_active:
            earliest = _earlier_instant(earliest, run.next_occurrence)
            earliest = _earliest_pending(earliest, run.dues, run.done)
            if run.reminders:
                earliest = _earliest_pending(earliest, run.reminders, run.reminded)
    for escalation in case.climbs:
        if escalation.active:
            earliest = _earlier_instant(earliest, escalation.next)
    return _earlier_instant(earliest, urgings_due(case))


def execute_first(builder: DecisionBuilder, upto: int) -> None:
    """Execute the first of the items that are due by an instant; there has to be one."""
    min(_due_items(builder, upto)).execute()


def execute_before_interruption(builder: DecisionBuilder, plans: Sequence[ClockPlan], event: Event) -> None:
    """Execute what is due at the very instant of an event on those of these clocks that it is about to pause or restart.

    Elsewhere such items come later, by their timer: for them it makes no difference.
    """
    for plan in plans:
        run = builder.case.current_run(plan.clock.id)
        if builder.case.lead or run is None or event.at not in run.dues or not interrupts(builder, plan, event):
            continue
        for step_index, at in enumerate(run.dues):
            # An effect may end the run, for example by deeming an event.
            if at == event.at and step_index not in run.done and run.is_active:
                _execute_due_entry(builder, plan, run, step_index, at)


def _earlier_instant(earliest: int | None, at: int | None) -> int | None:
    return at if earliest is None or (at is not None and at < earliest) else earliest


def _earliest_pending(earliest: int | None, instants: Sequence[int | None], done: Sequence[int]) -> int | None:
    """The earliest of an instant and those whose index is not done."""
    for index, at in enumerate(instants):
        if at is not None and (earliest is None or at < earliest) and index not in done:
            earliest = at
    return earliest


def _due_items(builder: DecisionBuilder, upto: int) -> Iterator[_DueItem]:
    for order, plan in enumerate(builder.rulebook.clock_plans.values()):
        run = builder.case.current_run(plan.clock.id)
        if run is not None and run.is_active:
            yield from _due_items_of_run(builder, plan, run, order, upto)
    for order, escalation in enumerate(builder.case.climbs):
        at = escalation.next
        if escalation.active and at is not None and at <= upto:
            yield _DueItem(at, _ESCALATION, order, 0, partial(advance_escalation, builder, escalation, at))
    at = urgings_due(builder.case)
    if at is not None and at <= upto:
        yield _DueItem(at, _URGINGS, 0, 0, partial(tell_urgings, builder, at))


def _due_items_of_run(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, order: int, upto: int) -> Iterator[_DueItem]:
    for index, at in enumerate(run.reminders):
        if at is not None and at <= upto and index not in run.reminded:
            yield _DueItem(at, _REMINDER, order, index, partial(_execute_reminder, builder, plan, run, index, at))
    for index, at in enumerate(run.dues):
        if at is not None and at <= upto and index not in run.done:
            yield _DueItem(at, _DUE_ENTRY, order, index, partial(_execute_due_entry, builder, plan, run, index, at))
    if run.next_occurrence is not None and run.next_occurrence <= upto:
        at, occurrences = _latest_occurrence(builder, plan, run, run.next_occurrence, upto)
        yield _DueItem(at, _REPEAT, order, 0, partial(_execute_repeat, builder, plan, run, at, occurrences))


def _latest_occurrence(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, first: int, upto: int) -> tuple[int, int]:
    """The last occurrence by an instant, and how many there are from the first on: those missed in an outage are executed as one."""
    at, occurrences = first, 1
    while (following := next_occurrence_after(builder, plan, run, at)) is not None and following <= upto:
        at, occurrences = following, occurrences + 1
    return at, occurrences


def _execute_reminder(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, index: int, at: int) -> None:
    run.reminded = [*run.reminded, index]
    context = EffectContext(at, plan.clock.id, plan, run, run.due_at, about="due", from_timer=True)
    apply_effects(builder, plan.reminders[index].effects, context)


def _execute_due_entry(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, step_index: int, at: int) -> None:
    run.done = [*run.done, step_index]
    context = EffectContext(at, plan.clock.id, plan, run, at, about="due", from_timer=True)
    apply_effects(builder, plan.deadline_steps[step_index].effects, context)


def _execute_repeat(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, at: int, occurrences: int) -> None:
    missed = bool(plan.missed_effects) and (run.acted is None or run.acted <= (run.start if run.occurred is None else run.occurred))
    run.occurred = at
    run.next_occurrence = next_occurrence_after(builder, plan, run, at)
    # The occurrence reminds and chases in one, so its message says overdue where the period was missed.
    context = EffectContext(at, plan.clock.id, plan, run, at, occurrences, about="due", from_timer=True, overdue=missed)
    apply_effects(builder, plan.repeat_effects, context)
    if missed and run.is_active:
        apply_effects(builder, plan.missed_effects, context)
