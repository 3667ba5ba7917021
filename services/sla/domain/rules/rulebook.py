"""A procedure made ready for deciding: conditions compiled, durations parsed, and for every event the clocks that it concerns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from services.sla.domain.deadlines.counting import Rule
from services.sla.domain.deadlines.reminder import Reminder
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
REPLANS = ("amended", "classified", "reclassified", "routed", "reassigned", "date_agreed")
FLAGS: dict[str, tuple[str, bool]] = {
    "accepted": ("accepted", True),
    "measures_approved": ("approved", True),
    "measures_deemed_approved": ("approved", True),
    "measures_rejected": ("approved", False),
    "first_answered": ("answered", True),
    "suspended": ("suspended", True),
    "resumed": ("suspended", False),
}
"""Events that set or clear a flag of the case."""
_SELECTORS = (STARTS, STOPS, RESTARTS, PAUSES, RESUMES, CANCELS)


def clauses(*found: Clause | None) -> list[str]:
    """The first clause that is given, as a list."""
    for clause in found:
        if clause:
            return [clause] if isinstance(clause, str) else list(clause)
    return []


def condition(source: str | None) -> Condition | None:
    """The compiled condition, None for none."""
    return None if source is None else compiled(source)


@dataclass(frozen=True, slots=True)
class Match:
    """An event that a selector looks at: its place in the selector and its condition.

    `of_unsigned` is a sign-off that stands for measures: it does so only while there are some that wait for it.
    """

    place: int
    when: Condition | None
    of_unsigned: bool = False


@dataclass(frozen=True, slots=True)
class Doing:
    """An effect with the clauses and condition that hold for it."""

    effect: Effect
    clauses: list[str]
    when: Condition | None


@dataclass(frozen=True, slots=True)
class Threshold:
    """A due entry, ready; `duration` is None where a parameter has no value yet, `fact` names the fact of a date."""

    duration: Duration | None
    fact: str
    entry: Due
    when: Condition | None
    doings: tuple[Doing, ...]


@dataclass(frozen=True, slots=True)
class Chase:
    """A reminder before due: by a duration before, or at a share of the time, of one threshold."""

    reminder: Reminder
    of: int
    when: Condition | None
    doings: tuple[Doing, ...]


@dataclass(frozen=True, slots=True)
class ClockPlan:
    """A clock, ready: selectors by event type, thresholds, chases, the repeat."""

    clock: Clock
    clauses: list[str]
    when: Condition | None
    rule: Rule
    matches: dict[str, dict[str, tuple[Match, ...]]]
    stops_needed: int
    thresholds: tuple[Threshold, ...]
    chases: tuple[Chase, ...]
    every: Duration | None
    occurrence: tuple[Doing, ...]
    replanned: bool


@dataclass(frozen=True, slots=True)
class ReactionPlan:
    """A reaction, ready."""

    id: str
    matches: dict[str, tuple[Match, ...]]
    when: Condition | None
    doings: tuple[Doing, ...]


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

    bound: Bound
    organisation: Organisation
    calendars: dict[str, Calendar] = field(default_factory=dict)

    @property
    def procedure(self) -> Procedure:
        """The procedure as data."""
        return self.bound.procedure

    @cached_property
    def plans(self) -> dict[str, ClockPlan]:
        """Clock id → plan, in the written order."""
        return {clock.id: self._plan(clock) for clock in self.procedure.clocks}

    @cached_property
    def concerned(self) -> dict[str, tuple[ClockPlan, ...]]:
        """Event type → the clocks whose selectors name it."""
        index: dict[str, dict[str, ClockPlan]] = defaultdict(dict)
        for plan in self.plans.values():
            for matches in plan.matches.values():
                for event in matches:
                    index[event][plan.clock.id] = plan
        return {event: tuple(plans.values()) for event, plans in index.items()}

    @cached_property
    def guarded(self) -> tuple[ClockPlan, ...]:
        """The clocks that have to be planned again when class, facts or department change."""
        return tuple(plan for plan in self.plans.values() if plan.replanned)

    @cached_property
    def replan_on(self) -> frozenset[str]:
        """The events after which guards may hold otherwise: those that change facts, class or department, and those that guards name."""
        guards = [guard for plan in self.guarded for guard in _given(plan.when, *(step.when for step in plan.thresholds))]
        named = {path[1] for guard in guards for path in guard.paths if path[0] in ("last", "count")}
        read = {path[1] for guard in guards for path in guard.paths if path[0] == "case"}
        return frozenset({*REPLANS, *named, *(event for event, (flag, _) in FLAGS.items() if flag in read)})

    @cached_property
    def reactions(self) -> dict[str, tuple[ReactionPlan, ...]]:
        """Event type → reactions on it, in the written order."""
        index: dict[str, list[ReactionPlan]] = defaultdict(list)
        for reaction in self.procedure.reactions:
            found = _matches(reaction.on)
            plan = ReactionPlan(reaction.id, found, condition(reaction.when), _doings(reaction.do, clauses(reaction.clause)))
            for event in found:
                index[event].append(plan)
        return {event: tuple(plans) for event, plans in index.items()}

    @cached_property
    def permissions(self) -> dict[str, tuple[Permission, ...]]:
        """Action → its rules."""
        named = {*self.procedure.actions, *(["close"] if self.procedure.closing else [])}
        return {action: tuple(_permission(rule) for rule in self.procedure.rules(action)) for action in named}

    @cached_property
    def ladders(self) -> dict[str, Ladder]:
        """Ladder id → ladder."""
        return {ladder.id: ladder for ladder in self.procedure.ladders}

    @cached_property
    def remembered(self) -> dict[str, frozenset[str]]:
        """Event type → the fields of its latest occurrence that some condition reads."""
        index: dict[str, set[str]] = defaultdict(set)
        for source in self._conditions():
            for path in source.paths:
                if path[0] == "last":
                    index[path[1]].add(path[2])
        for clock in self.procedure.clocks:
            if isinstance(clock.owner, WhoOf):
                index[clock.owner.who].add("role")
        return {event: frozenset(fields) for event, fields in index.items()}

    @cached_property
    def owners(self) -> list[str]:
        """The roles that have to act where an entry says `owner`: of several the first that somebody holds."""
        stated = [name for entry in self.procedure.ownership if entry.role for name in names(entry.role)]
        named = self.procedure.role_names
        return stated or [role for role in ("owner", "handler", *named[:1]) if role in named][:1] or ["owner"]

    def worktime(self, department: str) -> Worktime:
        """The compiled calendar for a case of that department: the department's own, the procedure's, or the organisation's."""
        found = self._worktimes.get(department)
        return self._compiled(department) if found is None else found

    @cached_property
    def _worktimes(self) -> dict[str, Worktime]:
        """What `worktime` has found, by department; one that the organisation does not know is not kept."""
        return {}

    def _compiled(self, department: str) -> Worktime:
        unit = self.organisation.department(department) if department else None
        if department and unit is None:
            return self.worktime("")
        name = (unit.calendar if unit else None) or self.procedure.calendar or self.organisation.calendar
        found = self._worktimes[department] = Worktime.of(self.calendars[name])
        return found

    def _plan(self, clock: Clock) -> ClockPlan:
        own = clauses(clock.clause)
        rule = Rule(clock.counting, clock.roll, self.procedure.day_end)
        thresholds = tuple(self._threshold(due, own) for due in clock.due)
        chases = tuple(
            Chase(
                Reminder.parse(before=each.before, share=each.share),
                each.of,
                condition(each.when),
                _doings(each.do, clauses(each.clause, clock.clause)),
            )
            for each in clock.reminders
        )
        guard = condition(clock.when)
        return ClockPlan(
            clock=clock,
            clauses=own,
            when=guard,
            rule=rule,
            matches={name: _matches(getattr(clock, name)) for name in _SELECTORS},
            stops_needed=len(picks(clock.stops)) if needs_all(clock.stops) else 1,
            thresholds=thresholds,
            chases=chases,
            every=self._duration(clock.every)[0] if clock.every else None,
            occurrence=_doings(clock.do, own),
            replanned=guard is not None or any(t.when or t.fact or t.entry.or_agreed for t in thresholds),
        )

    def _threshold(self, due: Due, own: list[str]) -> Threshold:
        duration, fact = self._duration(due.within)
        return Threshold(duration, fact, due, condition(due.when), _doings(due.do, clauses(due.clause) or own))

    def _duration(self, within: Within) -> tuple[Duration | None, str]:
        written = self.bound.written(within)
        if written is None:
            return None, ""
        duration = Duration.parse(written)
        return duration, duration.fact

    def _conditions(self) -> Iterable[Condition]:
        for plan in self.plans.values():
            yield from _given(plan.when, *(m.when for found in plan.matches.values() for each in found.values() for m in each))
            steps: tuple[Threshold | Chase, ...] = (*plan.thresholds, *plan.chases)
            for step in steps:
                yield from _given(step.when, *(doing.when for doing in step.doings))
            yield from _given(*(doing.when for doing in plan.occurrence))
        for reactions in self.reactions.values():
            for reaction in reactions:
                yield from _given(reaction.when, *(m.when for found in reaction.matches.values() for m in found))
                yield from _given(*(doing.when for doing in reaction.doings))
        for rules in self.permissions.values():
            for each in rules:
                yield from _given(each.when, each.requires, each.needs_sign_off)


def _given(*conditions: Condition | None) -> Iterable[Condition]:
    return (each for each in conditions if each is not None)


def _matches(selector: Selector | None) -> dict[str, tuple[Match, ...]]:
    index: dict[str, list[Match]] = defaultdict(list)
    for place, pick in enumerate(picks(selector)):
        for event in _types(pick):
            index[event].append(Match(place, condition(pick.when), of_unsigned=event != pick.event))
    return {event: tuple(found) for event, found in index.items()}


def _types(pick: Pick) -> tuple[str, ...]:
    # Measures that need a sign-off count only once signed off, wherever a rule looks for measures.
    return ("measures_submitted", "measures_signed_off") if pick.event == "measures_submitted" else (pick.event,)


def _doings(items: Iterable[Any], own: list[str]) -> tuple[Doing, ...]:
    found = [effect(item) for item in items]
    return tuple(Doing(each, clauses(each.clause) or own, condition(each.when)) for each in found)


def _permission(rule: ActionRule) -> Permission:
    return Permission(rule, condition(rule.when), condition(rule.requires), condition(rule.needs_sign_off), clauses(rule.clause))
