"""A procedure compiled with its parameters, organisation and calendars, indexed by event type, action and department."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from services.sla.domain.deadlines.worktime import Worktime
from services.sla.domain.rules.limit_defaults import add_limit_defaults
from services.sla.domain.rules.plans import ClockPlan, Permission, ReactionPlan, plan_clock, plan_permission, plan_reaction
from shared.procedures.accused import excluded_people
from shared.procedures.calendars.calendar import Calendar
from shared.procedures.expressions.conditions import Condition
from shared.procedures.model.bound_procedure import BoundProcedure
from shared.procedures.model.effects import MessageEffect, role_tuple
from shared.procedures.model.entry_list import all_entries
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.timed_entries import ActorOfEvent, EscalationLadder
from shared.procedures.organisation import Organisation

REPLANNING_EVENTS = ("amended", "classified", "reclassified", "routed", "reassigned", "date_agreed")
"""Events that change what guards and due instants read: facts, class, department, agreed date."""
_AGREEMENT_FIELDS = frozenset({"residents_agreed", "residents_disagreed"})
_MAX_CACHED_ACCUSED = 1000
CASE_FLAG_BY_EVENT: dict[str, tuple[str, bool]] = {
    "accepted": ("accepted", True),
    "measures_approved": ("approved", True),
    "measures_deemed_approved": ("approved", True),
    "measures_rejected": ("approved", False),
    "first_answered": ("answered", True),
    "suspended": ("suspended", True),
    "resumed": ("suspended", False),
}
"""Event type → the flag of the case that it sets, and the value."""


# Without slots: cached_property stores its value in __dict__, past the __setattr__ of a frozen class.
@dataclass(frozen=True)
class Rulebook:
    """A procedure with its parameters, its organisation and the organisation's calendars by id.

    Built once and shared by every case that is pinned to this version; each index is compiled when it is first read.
    """

    bound_procedure: BoundProcedure
    organisation: Organisation
    calendars: dict[str, Calendar] = field(default_factory=dict)
    _worktime_by_department: dict[str, Worktime] = field(default_factory=dict, init=False, repr=False, compare=False)
    _excluded_by_against: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def procedure(self) -> Procedure:
        """The procedure as loaded."""
        return self.bound_procedure.procedure

    @cached_property
    def clock_plans(self) -> dict[str, ClockPlan]:
        """Clock id → plan, in the order of the procedure."""
        limits = self.procedure.limits
        return {clock.id: add_limit_defaults(plan_clock(clock, self.bound_procedure), limits) for clock in self.procedure.clocks}

    @cached_property
    def plans_by_event(self) -> dict[str, tuple[ClockPlan, ...]]:
        """Event type → the clocks whose selectors name it, in the order of the procedure."""
        index: dict[str, dict[str, ClockPlan]] = defaultdict(dict)
        for plan in self.clock_plans.values():
            for matches_by_event in plan.matches.values():
                for event_type in matches_by_event:
                    index[event_type][plan.clock.id] = plan
        return {event_type: tuple(plans.values()) for event_type, plans in index.items()}

    @cached_property
    def replannable_plans(self) -> tuple[ClockPlan, ...]:
        """The clocks whose guard or due instant can change after their start."""
        return tuple(plan for plan in self.clock_plans.values() if plan.needs_replanning)

    @cached_property
    def receipt_plans(self) -> tuple[ClockPlan, ...]:
        """The clocks that each unit has from its own receipt."""
        return tuple(plan for plan in self.clock_plans.values() if plan.own_time)

    @cached_property
    def replanning_events(self) -> frozenset[str]:
        """Event types after which replannable clocks are evaluated again.

        They are REPLANNING_EVENTS, the events that a guard reads (`last.*`, `count.*`), those that change a field that it reads (`case.*`),
        and `returned` where a clock counts by the department that leads.
        """
        paths = [path for plan in self.replannable_plans for guard in plan.guards() for path in guard.paths]
        read_events = {path[1] for path in paths if path[0] in ("last", "count")}
        read_case_fields = {path[1] for path in paths if path[0] == "case"}
        lead_events = {"returned"} if any(plan.counts_by_department for plan in self.replannable_plans) else set()
        flag_events = {event_type for event_type, (flag, _) in CASE_FLAG_BY_EVENT.items() if flag in read_case_fields}
        agreement_events = {"agreement_recorded"} if read_case_fields & _AGREEMENT_FIELDS else set()
        return frozenset({*REPLANNING_EVENTS, *read_events, *flag_events, *lead_events, *agreement_events})

    @cached_property
    def reactions_by_event(self) -> dict[str, tuple[ReactionPlan, ...]]:
        """Event type → the reactions to it, in the order of the procedure."""
        index: dict[str, list[ReactionPlan]] = defaultdict(list)
        for plan in map(plan_reaction, self.procedure.reactions):
            for event_type in plan.matches:
                index[event_type].append(plan)
        return {event_type: tuple(plans) for event_type, plans in index.items()}

    @cached_property
    def permissions_by_action(self) -> dict[str, tuple[Permission, ...]]:
        """Action → its rules; closing conditions are rules of `close`."""
        actions = {*self.procedure.actions, *(["close"] if self.procedure.closing else [])}
        return {action: tuple(map(plan_permission, self.procedure.action_rules(action))) for action in actions}

    @cached_property
    def ladders(self) -> dict[str, EscalationLadder]:
        """Ladder id → ladder."""
        return {ladder.id: ladder for ladder in self.procedure.ladders}

    @cached_property
    def last_event_fields(self) -> dict[str, frozenset[str]]:
        """Event type → the fields of its last occurrence that a condition, a clock's owner or a message reads; a case keeps only these."""
        index: dict[str, set[str]] = defaultdict(set)
        for condition in self._conditions():
            for path in condition.paths:
                if path[0] == "last":
                    index[path[1]].add(path[2])
        for clock in self.procedure.clocks:
            if isinstance(clock.owner, ActorOfEvent):
                index[clock.owner.who].add("role")
        for located in all_entries(self.procedure):
            if isinstance(located.entry, MessageEffect | EscalationLadder):
                for placeholder in (each for wording in located.entry.wordings() for each in wording.history()):
                    for event_type in placeholder.of:
                        index[event_type].add(placeholder.field)
        return {event_type: frozenset(fields) for event_type, fields in index.items()}

    @cached_property
    def owner_roles(self) -> list[str]:
        """The roles that `owner` denotes in the procedure; the case owner is the first of them that a person holds.

        Without an ownership entry: the role `owner` or `handler`, else the first role of the procedure.
        """
        declared = [role for rule in self.procedure.ownership if rule.role for role in role_tuple(rule.role)]
        if declared:
            return declared
        role_names = self.procedure.role_names
        return [next((role for role in ("owner", "handler", *role_names) if role in role_names), "owner")]

    @property
    def worktime(self) -> Worktime:
        """The tables of the procedure's calendar, else of the organisation's."""
        return self.worktime_for("")

    def excluded_people(self, against: tuple[str, ...]) -> frozenset[str]:
        """The people who have no part in a case against these people; see `accused.excluded_people`."""
        excluded = self._excluded_by_against.get(against)
        if excluded is None:
            # Asked for each recipient of each message; bounded, since anything may stand under `against`.
            if len(self._excluded_by_against) >= _MAX_CACHED_ACCUSED:
                self._excluded_by_against.clear()
            excluded = self._excluded_by_against[against] = excluded_people(self.organisation, against)
        return excluded

    def worktime_for(self, department: str) -> Worktime:
        """Return the tables of a department's calendar, else of the procedure's, else of the organisation's.

        An empty or unknown department has no calendar of its own.
        """
        worktime = self._worktime_by_department.get(department)
        return self._find_worktime(department) if worktime is None else worktime

    def _find_worktime(self, department: str) -> Worktime:
        unit = self.organisation.department(department) if department else None
        if department and unit is None:  # not cached: names from messages are unbounded
            return self.worktime_for("")
        calendar_id = (unit.calendar if unit else None) or self.procedure.calendar or self.organisation.calendar
        worktime = self._worktime_by_department[department] = Worktime.for_calendar(self.calendars[calendar_id])
        return worktime

    def _conditions(self) -> Iterable[Condition]:
        for clock_plan in self.clock_plans.values():
            yield from clock_plan.conditions()
        for reaction_plans in self.reactions_by_event.values():
            for reaction_plan in reaction_plans:
                yield from reaction_plan.conditions()
        for permissions in self.permissions_by_action.values():
            for permission in permissions:
                yield from permission.conditions()
