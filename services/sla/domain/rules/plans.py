"""Compiles the clocks, reactions and action rules of a procedure: conditions into CEL programs, limits into durations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.sla.domain.deadlines.counting import CountingRule
from services.sla.domain.deadlines.reminder import ReminderTiming
from shared.procedures.expressions.conditions import Condition, compile_condition
from shared.procedures.model.actions.action_rules import ActionRule
from shared.procedures.model.bound_procedure import BoundProcedure
from shared.procedures.model.duration import Duration
from shared.procedures.model.effects import AnyEffect, Effect, expand_effect
from shared.procedures.model.selectors import SelectedEvent, Selector, requires_all_events, selected_events
from shared.procedures.model.timed_entries import ClauseIds, ClockEntry, DueEntry, LimitSource, ReactionEntry, ReminderEntry

STARTS, STOPS, RESTARTS, PAUSES, RESUMES, CANCELS, EXPECTS = "starts", "stops", "restarts", "pauses", "resumes", "cancels", "expects"
SELECTOR_FIELDS = (STARTS, STOPS, RESTARTS, PAUSES, RESUMES, CANCELS, EXPECTS)
"""The fields of a clock entry that select events."""


@dataclass(frozen=True, slots=True)
class SelectorMatch:
    """One event of a selector: its position there and its condition.

    `requires_unsigned_measures`: the selector names `measures_submitted` and this is the sign-off event, which matches only while
    measures await their sign-off.
    """

    position: int
    when: Condition | None
    requires_unsigned_measures: bool = False


@dataclass(frozen=True, slots=True)
class PlannedEffect:
    """An effect with the clauses that it is attributed to and its condition; `rule` names the default of the engine that added it."""

    effect: Effect
    clauses: list[str]
    when: Condition | None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class DeadlineStep:
    """A due entry of a clock; `duration` is None while its parameter has no value, `fact` names the fact of a `date`."""

    duration: Duration | None
    fact: str
    entry: DueEntry
    when: Condition | None
    effects: tuple[PlannedEffect, ...]


@dataclass(frozen=True, slots=True)
class PlannedReminder:
    """A reminder of a clock, timed by the deadline step at `step_index`."""

    timing: ReminderTiming
    step_index: int
    when: Condition | None
    effects: tuple[PlannedEffect, ...]


@dataclass(frozen=True, slots=True)
class ClockPlan:
    """A clock entry; `when` is its guard, `matches` maps selector field → event type → matches.

    `stops_needed` is how many events of `stops` must occur; `needs_replanning` states that its guard, due instant or reminders can
    change after the start; `missed_effects` follow a period without the expected act; `own_time`: each unit has its own time from its
    own receipt.
    """

    clock: ClockEntry
    clauses: list[str]
    when: Condition | None
    counting_rule: CountingRule
    matches: dict[str, dict[str, tuple[SelectorMatch, ...]]]
    stops_needed: int
    deadline_steps: tuple[DeadlineStep, ...]
    reminders: tuple[PlannedReminder, ...]
    every: Duration | None
    repeat_effects: tuple[PlannedEffect, ...]
    needs_replanning: bool
    missed_effects: tuple[PlannedEffect, ...] = ()
    own_time: bool = False

    @property
    def counts_by_department(self) -> bool:
        """Whether the clock counts by the calendar of the department that leads at each moment."""
        return self.clock.calendar == "department"

    def guards(self) -> Iterator[Condition]:
        """The conditions that decide whether the clock runs and which of its deadline steps and reminders apply."""
        yield from _present(self.when, *(step.when for step in self.deadline_steps), *(reminder.when for reminder in self.reminders))

    def conditions(self) -> Iterator[Condition]:
        """Every condition of the clock."""
        yield from self.guards()
        for matches_by_event in self.matches.values():
            yield from _match_conditions(matches_by_event)
        for step in self.deadline_steps:
            yield from _effect_conditions(step.effects)
        for reminder in self.reminders:
            yield from _effect_conditions(reminder.effects)
        yield from _effect_conditions((*self.repeat_effects, *self.missed_effects))


@dataclass(frozen=True, slots=True)
class ReactionPlan:
    """A reaction entry; `matches` maps event type → matches, `title` is Chinese and English."""

    id: str
    matches: dict[str, tuple[SelectorMatch, ...]]
    when: Condition | None
    effects: tuple[PlannedEffect, ...]
    title: tuple[str, str] = ("", "")

    def conditions(self) -> Iterator[Condition]:
        """Every condition of the reaction."""
        yield from _present(self.when)
        yield from _match_conditions(self.matches)
        yield from _effect_conditions(self.effects)


@dataclass(frozen=True, slots=True)
class Permission:
    """An action rule: while `when` holds, the action needs `requires`, and its measures a sign-off where `needs_sign_off` holds."""

    rule: ActionRule
    when: Condition | None
    requires: Condition | None
    needs_sign_off: Condition | None
    clauses: list[str]

    def conditions(self) -> Iterator[Condition]:
        """Every condition of the rule."""
        yield from _present(self.when, self.requires, self.needs_sign_off)


def plan_clock(clock: ClockEntry, bound_procedure: BoundProcedure) -> ClockPlan:
    """Compile a clock entry; raises ValueError for a condition, DurationError for a parameter's value that cannot be read."""
    clauses = first_clauses(clock.clause)
    guard = optional_condition(clock.when)
    steps = tuple(_plan_step(entry, clauses, bound_procedure) for entry in clock.due)
    return ClockPlan(
        clock=clock,
        clauses=clauses,
        when=guard,
        counting_rule=CountingRule(clock.counting, clock.roll, bound_procedure.procedure.day_end),
        matches={field: compile_selector(getattr(clock, field)) for field in SELECTOR_FIELDS},
        stops_needed=len(selected_events(clock.stops)) if requires_all_events(clock.stops) else 1,
        deadline_steps=steps,
        reminders=tuple(_plan_reminder(entry, clauses) for entry in clock.reminders),
        every=_resolve_limit(clock.every, bound_procedure) if clock.every else None,
        repeat_effects=plan_effects(clock.do, clauses),
        needs_replanning=guard is not None
        or clock.calendar == "department"
        or any(step.when or step.fact or step.entry.or_agreed for step in steps)
        or any(entry.when for entry in clock.reminders),
    )


def _plan_step(entry: DueEntry, clock_clauses: list[str], bound_procedure: BoundProcedure) -> DeadlineStep:
    duration = _resolve_limit(entry.within, bound_procedure)
    return DeadlineStep(
        duration=duration,
        fact="" if duration is None else duration.fact,
        entry=entry,
        when=optional_condition(entry.when),
        effects=plan_effects(entry.do, first_clauses(entry.clause) or clock_clauses),
    )


def _resolve_limit(limit: LimitSource, bound_procedure: BoundProcedure) -> Duration | None:
    text = bound_procedure.duration_text(limit)
    return None if text is None else Duration.parse(text)


def _plan_reminder(entry: ReminderEntry, clock_clauses: list[str]) -> PlannedReminder:
    return PlannedReminder(
        timing=ReminderTiming.parse(before=entry.before, share=entry.share),
        step_index=entry.of,
        when=optional_condition(entry.when),
        effects=plan_effects(entry.do, first_clauses(entry.clause) or clock_clauses),
    )


def plan_reaction(reaction: ReactionEntry) -> ReactionPlan:
    """Compile a reaction entry; raises ValueError for a condition that cannot be read."""
    matches = compile_selector(reaction.on)
    if reaction.reassigned and "routed" in matches:
        # A unit that takes over hears of the case as the first one did.
        matches.setdefault("reassigned", matches["routed"])
    return ReactionPlan(
        id=reaction.id,
        matches=matches,
        when=optional_condition(reaction.when),
        effects=plan_effects(reaction.do, first_clauses(reaction.clause)),
        title=(reaction.zh, reaction.en),
    )


def plan_permission(rule: ActionRule) -> Permission:
    """Compile an action rule; raises ValueError for a condition that cannot be read."""
    return Permission(
        rule=rule,
        when=optional_condition(rule.when),
        requires=optional_condition(rule.requires),
        needs_sign_off=optional_condition(rule.needs_sign_off),
        clauses=first_clauses(rule.clause),
    )


def plan_effects(effects: Iterable[AnyEffect], entry_clauses: list[str]) -> tuple[PlannedEffect, ...]:
    """Compile the effects of an entry; an effect without a clause of its own gets the entry's."""
    expanded = [expand_effect(effect) for effect in effects]
    return tuple(
        PlannedEffect(effect, first_clauses(effect.clause) or entry_clauses, optional_condition(effect.when)) for effect in expanded
    )


def compile_selector(selector: Selector | None) -> dict[str, tuple[SelectorMatch, ...]]:
    """Compile a selector into its matches by event type; an absent selector has none."""
    index: dict[str, list[SelectorMatch]] = defaultdict(list)
    for position, selected in enumerate(selected_events(selector)):
        for event_type in _matching_event_types(selected):
            match = SelectorMatch(position, optional_condition(selected.when), requires_unsigned_measures=event_type != selected.event)
            index[event_type].append(match)
    return {event_type: tuple(matches) for event_type, matches in index.items()}


def _matching_event_types(selected: SelectedEvent) -> tuple[str, ...]:
    # Measures that need a sign-off count only once they are signed off, so the sign-off matches where a rule names measures.
    return ("measures_submitted", "measures_signed_off") if selected.event == "measures_submitted" else (selected.event,)


def optional_condition(source: str | None) -> Condition | None:
    """Compile a condition; None stays None. Raises ValueError for syntax that cannot be read."""
    return None if source is None else compile_condition(source)


def first_clauses(*candidates: ClauseIds | None) -> list[str]:
    """Return the first candidate that names a clause, as a list; an empty list if none does."""
    for clauses in candidates:
        if clauses:
            return [clauses] if isinstance(clauses, str) else list(clauses)
    return []


def _match_conditions(matches_by_event: dict[str, tuple[SelectorMatch, ...]]) -> Iterator[Condition]:
    return _present(*(match.when for matches in matches_by_event.values() for match in matches))


def _effect_conditions(effects: Iterable[PlannedEffect]) -> Iterator[Condition]:
    return _present(*(effect.when for effect in effects))


def _present(*conditions: Condition | None) -> Iterator[Condition]:
    return (condition for condition in conditions if condition is not None)
