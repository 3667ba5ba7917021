"""When the deadlines, reminders and repeats of a clock run are due."""

from __future__ import annotations

from dataclasses import replace

from services.sla.domain.deadlines.deadline import Extension, TimeLimit, compute_due
from services.sla.domain.deadlines.pauses import Pauses
from services.sla.domain.deadlines.recurrence import next_occurrence
from services.sla.domain.deadlines.reminder import reminder_due
from services.sla.domain.lifecycle.case import ClockRun
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.rules.plans import ClockPlan
from shared.procedures.model.duration import Duration


def compute_deadlines(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun) -> None:
    """Count the due instants of a round, its reminders and its next occurrence."""
    found = [_step_due_at(builder, plan, run, place) for place in range(len(plan.deadline_steps))]
    run.dues = [at for at, _ in found]
    run.provisional = any(provisional for _, provisional in found)
    run.next_occurrence = next_occurrence_after(builder, plan, run, run.occurred)
    if plan.reminders:
        run.reminders = [_reminder_at(builder, plan, run, place) for place in range(len(plan.reminders))]


def time_limit(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, step_index: int) -> TimeLimit | None:
    """The time limit of a due entry of a round, for counting and for explaining; None where it is not known yet."""
    threshold = plan.deadline_steps[step_index]
    if threshold.duration is None:
        return None
    agreed = builder.case.facts.get(threshold.fact) if threshold.fact else _agreed_date(builder, run) if threshold.entry.or_agreed else None
    if threshold.fact and agreed is None:
        return None
    found = TimeLimit(
        run.start,
        threshold.duration,
        plan.counting_rule,
        _pause_intervals(run),
        _granted_extensions(run),
        agreed,
        threshold.entry.or_agreed,
    )
    return found if step_index == 0 or not run.extensions else _later_step_limit(builder, plan, step_index, found)


def _later_step_limit(draft: DecisionBuilder, plan: ClockPlan, place: int, found: TimeLimit) -> TimeLimit:
    """The limit of a later threshold: an extension until an instant replaces the first one and never brings the others forward."""
    own = replace(found, extensions=[each for each in found.extensions if each.until is None])
    until = found.extended_duration()[1]
    if until is None or not any(draft.holds(earlier.when) for earlier in plan.deadline_steps[:place]):
        return found
    at = compute_due(draft.worktime, own)[0]
    return own if at is None or at > until else found


def next_occurrence_after(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, after: int | None) -> int | None:
    """The instant of the repeat's next occurrence after an instant; None while paused or where the clock does not repeat."""
    if plan.every is None:
        return None
    found = next_occurrence(builder.worktime, TimeLimit(run.start, plan.every, plan.counting_rule, _pause_intervals(run)), after)
    return None if found is None else found.due


def _step_due_at(draft: DecisionBuilder, plan: ClockPlan, current: ClockRun, place: int) -> tuple[int | None, bool]:
    if not draft.holds(plan.deadline_steps[place].when):
        return None, False
    found = time_limit(draft, plan, current, place)
    if found is None:
        return None, False
    at, _, provisional = compute_due(draft.worktime, found)
    return at, provisional


def _agreed_date(draft: DecisionBuilder, current: ClockRun) -> int | None:
    """The date agreed with the customer, if it lies after the round's start: an older one was meant for an earlier round."""
    agreed = draft.case.agreed
    return agreed if agreed is not None and agreed > current.start else None


def _reminder_at(draft: DecisionBuilder, plan: ClockPlan, current: ClockRun, place: int) -> int | None:
    chase = plan.reminders[place]
    if current.dues[chase.step_index] is None or not draft.holds(chase.when):
        return None
    found = time_limit(draft, plan, current, chase.step_index)
    return None if found is None else reminder_due(draft.worktime, found, chase.timing)


def _pause_intervals(current: ClockRun) -> Pauses:
    return tuple((begin, end) for begin, end in current.pauses if begin is not None) if current.pauses else ()


def _granted_extensions(current: ClockRun) -> list[Extension]:
    return [Extension(Duration.parse(each["by"]) if each["by"] else None, each["until"]) for each in current.extensions]
