"""A procedure's clocks, reactions and permissions compiled for deciding: conditions compiled, durations parsed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from services.sla.domain.deadlines.counting import CountingRule
from services.sla.domain.deadlines.reminder import ReminderTiming
from shared.procedures.expressions.conditions import Condition, compile_condition
from shared.procedures.model.duration import Duration
from shared.procedures.model.effects import Effect, expand_effect
from shared.procedures.model.procedure import ActionRule
from shared.procedures.model.selectors import SelectedEvent, Selector, selected_events
from shared.procedures.model.timed_entries import ClauseIds, ClockEntry, DueEntry

STARTS, STOPS, RESTARTS, PAUSES, RESUMES, CANCELS = "starts", "stops", "restarts", "pauses", "resumes", "cancels"
SELECTOR_FIELDS = (STARTS, STOPS, RESTARTS, PAUSES, RESUMES, CANCELS)


def first_clauses(*candidates: ClauseIds | None) -> list[str]:
    """The first clause that is given, as a list."""
    for clause in candidates:
        if clause:
            return [clause] if isinstance(clause, str) else list(clause)
    return []


def optional_condition(source: str | None) -> Condition | None:
    """The compiled condition, None for none."""
    return None if source is None else compile_condition(source)


@dataclass(frozen=True, slots=True)
class SelectorMatch:
    """An event that a selector looks at: its place in the selector and its condition.

    `of_unsigned` is a sign-off that stands for measures: it does so only while there are some that wait for it.
    """

    position: int
    when: Condition | None
    requires_unsigned_measures: bool = False


@dataclass(frozen=True, slots=True)
class PlannedEffect:
    """An effect with the clauses and condition that hold for it."""

    effect: Effect
    clauses: list[str]
    when: Condition | None


@dataclass(frozen=True, slots=True)
class DeadlineStep:
    """A due entry, ready; `duration` is None where a parameter has no value yet, `fact` names the fact of a date."""

    duration: Duration | None
    fact: str
    entry: DueEntry
    when: Condition | None
    effects: tuple[PlannedEffect, ...]


@dataclass(frozen=True, slots=True)
class PlannedReminder:
    """A reminder before due: by a duration before, or at a share of the time, of one threshold."""

    timing: ReminderTiming
    step_index: int
    when: Condition | None
    effects: tuple[PlannedEffect, ...]


@dataclass(frozen=True, slots=True)
class ClockPlan:
    """A clock, ready: selectors by event type, thresholds, chases, the repeat."""

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


@dataclass(frozen=True, slots=True)
class ReactionPlan:
    """A reaction, ready."""

    id: str
    matches: dict[str, tuple[SelectorMatch, ...]]
    when: Condition | None
    effects: tuple[PlannedEffect, ...]


@dataclass(frozen=True, slots=True)
class Permission:
    """A rule for an action, ready."""

    rule: ActionRule
    when: Condition | None
    requires: Condition | None
    needs_sign_off: Condition | None
    clauses: list[str]


def compile_selector(selector: Selector | None) -> dict[str, tuple[SelectorMatch, ...]]:
    index: dict[str, list[SelectorMatch]] = defaultdict(list)
    for place, pick in enumerate(selected_events(selector)):
        for event in _matching_event_types(pick):
            index[event].append(SelectorMatch(place, optional_condition(pick.when), requires_unsigned_measures=event != pick.event))
    return {event: tuple(found) for event, found in index.items()}


def _matching_event_types(pick: SelectedEvent) -> tuple[str, ...]:
    # Measures that need a sign-off count only once signed off, wherever a rule looks for measures.
    return ("measures_submitted", "measures_signed_off") if pick.event == "measures_submitted" else (pick.event,)


def plan_effects(items: Iterable[Any], own: list[str]) -> tuple[PlannedEffect, ...]:
    found = [expand_effect(item) for item in items]
    return tuple(PlannedEffect(each, first_clauses(each.clause) or own, optional_condition(each.when)) for each in found)


def plan_permission(rule: ActionRule) -> Permission:
    return Permission(
        rule,
        optional_condition(rule.when),
        optional_condition(rule.requires),
        optional_condition(rule.needs_sign_off),
        first_clauses(rule.clause),
    )
