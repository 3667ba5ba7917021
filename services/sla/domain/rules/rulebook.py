"""A procedure made ready for deciding: conditions compiled, durations parsed, and for every event the clocks that it concerns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from services.sla.domain.deadlines.counting import CountingRule
from services.sla.domain.deadlines.reminder import ReminderTiming
from services.sla.domain.deadlines.worktime import Worktime
from services.sla.domain.rules.plans import (
    SELECTOR_FIELDS,
    ClockPlan,
    DeadlineStep,
    Permission,
    PlannedReminder,
    ReactionPlan,
    compile_selector,
    first_clauses,
    optional_condition,
    plan_effects,
    plan_permission,
)
from shared.procedures.calendars.calendar import Calendar
from shared.procedures.expressions.conditions import Condition
from shared.procedures.model.bound_procedure import BoundProcedure
from shared.procedures.model.duration import Duration
from shared.procedures.model.effects import role_tuple
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.selectors import requires_all_events, selected_events
from shared.procedures.model.timed_entries import ActorOfEvent, ClockEntry, DueEntry, EscalationLadder, LimitSource
from shared.procedures.organisation import Organisation

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


@dataclass(frozen=True)
class Rulebook:
    """Procedure, parameters and organisation together; made once, used for every case that is pinned to them."""

    bound_procedure: BoundProcedure
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
        return {action: tuple(plan_permission(rule) for rule in self.procedure.action_rules(action)) for action in named}

    @cached_property
    def ladders(self) -> dict[str, EscalationLadder]:
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
            if isinstance(clock.owner, ActorOfEvent):
                index[clock.owner.who].add("role")
        return {event: frozenset(fields) for event, fields in index.items()}

    @cached_property
    def owner_roles(self) -> list[str]:
        """The roles that have to act where an entry says `owner`: of several the first that somebody holds."""
        stated = [name for entry in self.procedure.ownership if entry.role for name in role_tuple(entry.role)]
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

    def _plan_clock(self, clock: ClockEntry) -> ClockPlan:
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
            matches={name: compile_selector(getattr(clock, name)) for name in SELECTOR_FIELDS},
            stops_needed=len(selected_events(clock.stops)) if requires_all_events(clock.stops) else 1,
            deadline_steps=thresholds,
            reminders=chases,
            every=self._resolve_duration(clock.every)[0] if clock.every else None,
            repeat_effects=plan_effects(clock.do, own),
            needs_replanning=guard is not None or any(t.when or t.fact or t.entry.or_agreed for t in thresholds),
        )

    def _plan_step(self, due: DueEntry, own: list[str]) -> DeadlineStep:
        duration, fact = self._resolve_duration(due.within)
        return DeadlineStep(duration, fact, due, optional_condition(due.when), plan_effects(due.do, first_clauses(due.clause) or own))

    def _resolve_duration(self, within: LimitSource) -> tuple[Duration | None, str]:
        written = self.bound_procedure.duration_text(within)
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
