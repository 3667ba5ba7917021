"""When the due entries, reminders and repeats of a clock run are due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from services.sla.domain.deadlines.calendar_pieces import AnyCalendar, calendar_with_changes
from services.sla.domain.deadlines.deadline import Extension, TimeLimit, compute_due
from services.sla.domain.deadlines.pauses import Pauses
from services.sla.domain.deadlines.recurrence import next_occurrence
from services.sla.domain.deadlines.reminder import reminder_due
from services.sla.domain.lifecycle.case import ClockRun, Event
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.rules.plans import ClockPlan
from shared.procedures.model.duration import Duration
from shared.procedures.model.effects import DeemEvent


def compute_deadlines(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun) -> None:
    """Set the due instants of a run, its reminders and its next occurrence, counted from its start."""
    # Always from the start, so that no change of class, calendar or version loses paused time (time.md).
    dues = [_step_due_at(builder, plan, run, step_index) for step_index in range(len(plan.deadline_steps))]
    run.dues = [_bounded_due(builder, run, index, at) for index, (at, _) in enumerate(dues)]
    run.provisional = any(provisional for _, provisional in dues)
    run.next_occurrence = next_occurrence_after(builder, plan, run, run.occurred)
    if plan.reminders:
        run.reminders = [_reminder_at(builder, plan, run, reminder_index) for reminder_index in range(len(plan.reminders))]


def recompute_deadlines(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, reason: str) -> None:
    """Count the deadlines of a run again; by a late grant one that has passed may be due once more."""
    dues_before = list(run.dues)
    compute_deadlines(builder, plan, run)
    if reason == "extension_granted" and _expect_again(plan, run, dues_before):
        compute_deadlines(builder, plan, run)


def granted_extension(run: ClockRun, event: Event) -> dict[str, Any]:
    """An extension of a run as it is kept; `late`: granted after the run's breach."""
    extension = {"by": event.data.get("extend_by", ""), "until": event.data.get("until")}
    return extension if run.breached is None else {**extension, "late": True}


def _expect_again(plan: ClockPlan, run: ClockRun, dues_before: Sequence[int | None]) -> bool:
    """Take what has fallen due, and by a late grant is due again later, as not done; whether there is any.

    The new instant may be missed as the first one was (time.md, Extension). An event that was deemed has happened once for all.
    """
    again = [
        index
        for index in run.done
        if (before := dues_before[index]) is not None
        and (after := run.dues[index]) is not None
        and after > before
        and not any(isinstance(planned.effect, DeemEvent) for planned in plan.deadline_steps[index].effects)
    ]
    run.done = [index for index in run.done if index not in again]
    return bool(again)


def calendar_of(builder: DecisionBuilder, plan: ClockPlan) -> AnyCalendar:
    """The calendar that a clock counts by; of a clock by department, those of the departments that have led, in order."""
    if not plan.counts_by_department or not builder.case.leads:
        return builder.worktime
    return calendar_with_changes(builder.worktime, [(at, builder.rulebook.worktime_for(name)) for at, name in builder.case.leads])


def time_limit(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, step_index: int) -> TimeLimit | None:
    """The time limit of a due entry of a run, for counting and explaining; None while its parameter or date is not known."""
    step = plan.deadline_steps[step_index]
    if step.duration is None:
        return None
    agreed = builder.case.facts.get(step.fact) if step.fact else _agreed_date(builder, run) if step.entry.or_agreed else None
    if step.fact and (agreed is None or agreed < run.start):
        return None  # no clock ends before it starts: a date before this round's start counts as absent (time.md, Instants that can be)
    limit = TimeLimit(
        run.start,
        step.duration,
        plan.counting_rule,
        _pause_intervals(run),
        _granted_extensions(run),
        agreed,
        step.entry.or_agreed,
    )
    return limit if step_index == 0 or not run.extensions else _later_step_limit(builder, plan, step_index, limit)


def early_extension(plan: ClockPlan, run: ClockRun, until: int) -> str | None:
    """Why a clock cannot be extended until an instant: rule and remedy; None if it can."""
    if until < run.start:
        return f"until lies before the start of the clock {plan.clock.id}; give an instant after it"
    if run.due_at is not None and until < run.due_at:
        return f"until lies before the present due instant of the clock {plan.clock.id}; an extension gives a later one"
    return None


def early_date(builder: DecisionBuilder, event_data: dict[str, Any]) -> tuple[ClockPlan, str] | None:
    """The clock that a date of an event would end before its start, and why; None if there is none."""
    facts = event_data.get("facts", {})
    for plan in builder.rulebook.clock_plans.values():
        run = builder.case.current_run(plan.clock.id)
        if run is None or run.is_ended:
            continue
        # A dormant run too: where the guard asks for the date, it is this very date that would let the clock run.
        dates = [(f"facts.{step.fact}", facts.get(step.fact)) for step in plan.deadline_steps if step.fact]
        if run.is_active and any(step.entry.or_agreed for step in plan.deadline_steps):
            dates += [(name, event_data.get(name)) for name in ("date", "next_date")]
        for name, at in dates:
            if isinstance(at, int) and at < run.start:
                return plan, f"{name} lies before the start of the clock {plan.clock.id}; give a date after it"
    return None


def next_occurrence_after(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, after: int | None) -> int | None:
    """The instant of the first occurrence of a repeating clock after an instant; None while paused or if the clock does not repeat."""
    if plan.every is None:
        return None
    occurrence = next_occurrence(
        calendar_of(builder, plan), TimeLimit(run.start, plan.every, plan.counting_rule, _pause_intervals(run)), after
    )
    return None if occurrence is None else occurrence.due


def skip_outrun_reminders(plan: ClockPlan, run: ClockRun, at: int) -> None:
    """Leave out reminders of a limit that had passed before the clock began: no one can keep it any more."""
    for index, reminder in enumerate(plan.reminders):
        due_at = run.dues[reminder.step_index]
        if due_at is not None and due_at < at and index not in run.reminded:
            run.reminded = [*run.reminded, index]


def _later_step_limit(builder: DecisionBuilder, plan: ClockPlan, step_index: int, limit: TimeLimit) -> TimeLimit:
    """The limit of a due entry after the first one: an extension until an instant moves the first and never brings others forward."""
    without_until = replace(limit, extensions=[extension for extension in limit.extensions if extension.until is None])
    until = limit.extended_duration()[1]
    if until is None or not any(builder.holds(earlier.when) for earlier in plan.deadline_steps[:step_index]):
        return limit
    due_at = compute_due(calendar_of(builder, plan), without_until)[0]
    return without_until if due_at is None or due_at > until else limit


def _step_due_at(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, step_index: int) -> tuple[int | None, bool]:
    """When a due entry is due, and whether that is provisional."""
    # As with guards, a condition that cannot be evaluated leaves a step that is due and brings no other.
    applies_already = step_index < len(run.dues) and run.dues[step_index] is not None
    if not builder.holds(plan.deadline_steps[step_index].when, otherwise=applies_already):
        return None, False
    limit = time_limit(builder, plan, run, step_index)
    if limit is None:
        return None, False
    due_at, _, provisional = compute_due(calendar_of(builder, plan), limit)
    return due_at, provisional


def _bounded_due(builder: DecisionBuilder, run: ClockRun, step_index: int, at: int | None) -> int | None:
    """A due instant, earlier where a duplicate of the case brought an earlier one, later where the case was a duplicate itself."""
    if at is None or step_index in run.done:
        return at
    if run.earliest_due is not None:
        at = max(at, run.earliest_due)
    for duplicate in builder.case.duplicates:
        brought = duplicate.dues.get(run.clock, ())
        if step_index < len(brought) and (earlier := brought[step_index]) is not None and not run.extensions:
            at = min(at, earlier)
    return at


def _agreed_date(builder: DecisionBuilder, run: ClockRun) -> int | None:
    """The date agreed with the customer if it lies after the run's start; an older one was agreed for an earlier round."""
    agreed = builder.case.agreed
    return agreed if agreed is not None and agreed > run.start else None


def _reminder_at(builder: DecisionBuilder, plan: ClockPlan, run: ClockRun, reminder_index: int) -> int | None:
    reminder = plan.reminders[reminder_index]
    if run.dues[reminder.step_index] is None or not builder.holds(reminder.when):
        return None
    limit = time_limit(builder, plan, run, reminder.step_index)
    return None if limit is None else reminder_due(calendar_of(builder, plan), limit, reminder.timing)


def _pause_intervals(run: ClockRun) -> Pauses:
    return tuple((begin, end) for begin, end in run.pauses if begin is not None) if run.pauses else ()


def _granted_extensions(run: ClockRun) -> list[Extension]:
    return [Extension(Duration.parse(grant["by"]) if grant["by"] else None, grant["until"]) for grant in run.extensions]
