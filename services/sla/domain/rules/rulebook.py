"""A procedure made ready for deciding: conditions compiled, durations parsed, and for every event the clocks that it concerns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from services.sla.domain.deadlines.counting import CountingRule
from services.sla.domain.deadlines.reminder import ReminderTiming
from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.calendars.calendar import Calendar
from shared.procedures.expressions.conditions import Condition, compiled
from shared.procedures.model.bound_procedure import Bound
from shared.procedures.model.duration import Duration
from shared.procedures.model.effects import Effect, effect, names
from shared.procedures.model.procedure import ActionRule, Procedure
from shared.procedures.model.selectors import Pick, Selector, needs_all, picks
from shared.procedures.model.timed_entries import Clause, Clock, Due, Ladder, WhoOf, Within
from shared.procedures.organisation import Organisation

STARTS, STOPS, RESTARTS, PAUSES, RESUMES, CANCELS = "starts", "stops", "restarts", "pauses", "resumes", "cancels"
REPLANNING_EVENTS = ("amended", "classified", "reclassified", "routed", "reassigned", "date_agreed")
CASE_FLAG_BY_EVENT: dict[str, tuple[str, bool]] = {
    "accepted": ("accepted", True),
    "measures_approved": ("approved", True),
    "measures_deemed_approved": ("approved", True),
    "measures_rejected": ("approved", False),
    "first_answered": ("answered", True),
    "suspended": ("suspended", True),
    "resumed": ("suspended", False),
}
"""Events that set or clear a flag of the case."""
_SELECTOR_FIELDS = (STARTS, STOPS, RESTARTS, PAUSES, RESUMES, CANCELS)


def first_clauses(*candidates: Clause | None) -> list[str]:
    """The first clause that is given, as a list."""
    for clause in candidates:
        if clause:
            return [clause] if isinstance(clause, str) else list(clause)
    return []


def optional_condition(source: str | None) -> Condition | None:
    """The compiled condition, None for none."""
    return None if source is None else compiled(source)


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
    entry: Due
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

    clock: Clock
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


@dataclass(frozen=True)
class Rulebook:
    """Procedure, parameters and organisation together; made once, used for every case that is pinned to them."""

    bound_procedure: Bound
    organisation: Organisation
    calendars: dict[str, Calendar] = field(default_factory=dict)

    @property
    def procedure(self) -> Procedure:
        """The procedure as data."""
        return self.bound_procedure.procedure

    @cached_property
    def clock_plans(self) -> dict[str, ClockPlan]:
        """Clock id → plan, in the written order."""
        return {clock.id: self._plan_clock(clock) for clock in self.procedure.clocks}

    @cached_property
    def plans_by_event(self) -> dict[str, tuple[ClockPlan, ...]]:
        """Event type → the clocks whose selectors name it."""
        index: dict[str, dict[str, ClockPlan]] = defaultdict(dict)
        for plan in self.clock_plans.values():
            for matches in plan.matches.values():
                for event in matches:
                    index[event][plan.clock.id] = plan
        return {event: tuple(plans.values()) for event, plans in index.items()}

    @cached_property
    def replannable_plans(self) -> tuple[ClockPlan, ...]:
        """The clocks that have to be planned again when class, facts or department change."""
        return tuple(plan for plan in self.clock_plans.values() if plan.needs_replanning)

    @cached_property
    def replanning_events(self) -> frozenset[str]:
        """The events after which guards may hold otherwise: those that change facts, class or department, and those that guards name."""
        guards = [guard for plan in self.replannable_plans for guard in _present(plan.when, *(step.when for step in plan.deadline_steps))]
        named = {path[1] for guard in guards for path in guard.paths if path[0] in ("last", "count")}
        read = {path[1] for guard in guards for path in guard.paths if path[0] == "case"}
        return frozenset({*REPLANNING_EVENTS, *named, *(event for event, (flag, _) in CASE_FLAG_BY_EVENT.items() if flag in read)})

    @cached_property
    def reactions_by_event(self) -> dict[str, tuple[ReactionPlan, ...]]:
        """Event type → reactions on it, in the written order."""
        index: dict[str, list[ReactionPlan]] = defaultdict(list)
        for reaction in self.procedure.reactions:
            found = compile_selector(reaction.on)
            plan = ReactionPlan(
                reaction.id, found, optional_condition(reaction.when), plan_effects(reaction.do, first_clauses(reaction.clause))
            )
            for event in found:
                index[event].append(plan)
        return {event: tuple(plans) for event, plans in index.items()}

    @cached_property
    def permissions_by_action(self) -> dict[str, tuple[Permission, ...]]:
        """Action → its rules."""
        named = {*self.procedure.actions, *(["close"] if self.procedure.closing else [])}
        return {action: tuple(plan_permission(rule) for rule in self.procedure.rules(action)) for action in named}

    @cached_property
    def ladders(self) -> dict[str, Ladder]:
        """Ladder id → ladder."""
        return {ladder.id: ladder for ladder in self.procedure.ladders}

    @cached_property
    def last_event_fields(self) -> dict[str, frozenset[str]]:
        """Event type → the fields of its latest occurrence that some condition reads."""
        index: dict[str, set[str]] = defaultdict(set)
        for source in self._all_conditions():
            for path in source.paths:
                if path[0] == "last":
                    index[path[1]].add(path[2])
        for clock in self.procedure.clocks:
            if isinstance(clock.owner, WhoOf):
                index[clock.owner.who].add("role")
        return {event: frozenset(fields) for event, fields in index.items()}

    @cached_property
    def owner_roles(self) -> list[str]:
        """The roles that have to act where an entry says `owner`: of several the first that somebody holds."""
        stated = [name for entry in self.procedure.ownership if entry.role for name in names(entry.role)]
        named = self.procedure.role_names
        return stated or [role for role in ("owner", "handler", *named[:1]) if role in named][:1] or ["owner"]

    def worktime_for(self, department: str) -> Worktime:
        """The compiled calendar for a case of that department: the department's own, the procedure's, or the organisation's."""
        found = self._worktime_by_department.get(department)
        return self._find_worktime(department) if found is None else found

    @cached_property
    def _worktime_by_department(self) -> dict[str, Worktime]:
        """What `worktime` has found, by department; one that the organisation does not know is not kept."""
        return {}

    def _find_worktime(self, department: str) -> Worktime:
        unit = self.organisation.department(department) if department else None
        if department and unit is None:
            return self.worktime_for("")
        name = (unit.calendar if unit else None) or self.procedure.calendar or self.organisation.calendar
        found = self._worktime_by_department[department] = Worktime.for_calendar(self.calendars[name])
        return found

    def _plan_clock(self, clock: Clock) -> ClockPlan:
        own = first_clauses(clock.clause)
        rule = CountingRule(clock.counting, clock.roll, self.procedure.day_end)
        thresholds = tuple(self._plan_step(due, own) for due in clock.due)
        chases = tuple(
            PlannedReminder(
                ReminderTiming.parse(before=each.before, share=each.share),
                each.of,
                optional_condition(each.when),
                plan_effects(each.do, first_clauses(each.clause, clock.clause)),
            )
            for each in clock.reminders
        )
        guard = optional_condition(clock.when)
        return ClockPlan(
            clock=clock,
            clauses=own,
            when=guard,
            counting_rule=rule,
            matches={name: compile_selector(getattr(clock, name)) for name in _SELECTOR_FIELDS},
            stops_needed=len(picks(clock.stops)) if needs_all(clock.stops) else 1,
            deadline_steps=thresholds,
            reminders=chases,
            every=self._resolve_duration(clock.every)[0] if clock.every else None,
            repeat_effects=plan_effects(clock.do, own),
            needs_replanning=guard is not None or any(t.when or t.fact or t.entry.or_agreed for t in thresholds),
        )

    def _plan_step(self, due: Due, own: list[str]) -> DeadlineStep:
        duration, fact = self._resolve_duration(due.within)
        return DeadlineStep(duration, fact, due, optional_condition(due.when), plan_effects(due.do, first_clauses(due.clause) or own))

    def _resolve_duration(self, within: Within) -> tuple[Duration | None, str]:
        written = self.bound_procedure.written(within)
        if written is None:
            return None, ""
        duration = Duration.parse(written)
        return duration, duration.fact

    def _all_conditions(self) -> Iterable[Condition]:
        for plan in self.clock_plans.values():
            yield from _present(plan.when, *(m.when for found in plan.matches.values() for each in found.values() for m in each))
            steps: tuple[DeadlineStep | PlannedReminder, ...] = (*plan.deadline_steps, *plan.reminders)
            for step in steps:
                yield from _present(step.when, *(doing.when for doing in step.effects))
            yield from _present(*(doing.when for doing in plan.repeat_effects))
        for reactions in self.reactions_by_event.values():
            for reaction in reactions:
                yield from _present(reaction.when, *(m.when for found in reaction.matches.values() for m in found))
                yield from _present(*(doing.when for doing in reaction.effects))
        for rules in self.permissions_by_action.values():
            for each in rules:
                yield from _present(each.when, each.requires, each.needs_sign_off)


def _present(*conditions: Condition | None) -> Iterable[Condition]:
    return (each for each in conditions if each is not None)


def compile_selector(selector: Selector | None) -> dict[str, tuple[SelectorMatch, ...]]:
    index: dict[str, list[SelectorMatch]] = defaultdict(list)
    for place, pick in enumerate(picks(selector)):
        for event in _matching_event_types(pick):
            index[event].append(SelectorMatch(place, optional_condition(pick.when), requires_unsigned_measures=event != pick.event))
    return {event: tuple(found) for event, found in index.items()}


def _matching_event_types(pick: Pick) -> tuple[str, ...]:
    # Measures that need a sign-off count only once signed off, wherever a rule looks for measures.
    return ("measures_submitted", "measures_signed_off") if pick.event == "measures_submitted" else (pick.event,)


def plan_effects(items: Iterable[Any], own: list[str]) -> tuple[PlannedEffect, ...]:
    found = [effect(item) for item in items]
    return tuple(PlannedEffect(each, first_clauses(each.clause) or own, optional_condition(each.when)) for each in found)


def plan_permission(rule: ActionRule) -> Permission:
    return Permission(
        rule,
        optional_condition(rule.when),
        optional_condition(rule.requires),
        optional_condition(rule.needs_sign_off),
        first_clauses(rule.clause),
    )
