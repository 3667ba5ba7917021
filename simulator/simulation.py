"""Runs the services' pure cores on a simulated clock: registration, triage, sla's decisions and timers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.decide import CaseDecision, decide
from services.sla.domain.lifecycle.due_items import next_due
from services.sla.domain.lifecycle.inputs import AdvanceTime, CaseInput
from services.sla.domain.lifecycle.links.resolution import resolve_link
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views import event_mapping
from services.triage.domain.compiled_rules import TriageRules, compile_rules
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.state import FOLLOWED_EVENTS, TriageState
from shared.contracts.events import CaseEvent
from shared.contracts.events.triage import Classified
from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.model.bound_procedure import BoundProcedure
from shared.procedures.organisation import Organisation
from simulator.registration import register_complaint, source_context_for
from simulator.scenario import Scenario, ScenarioComplaint, ScenarioStep

_OMITTED_FIELDS = frozenset(
    {"complaint", "contact", "values", "data", "registered", "facts", "figures", "procedure", "version", "recorded_at"}
)
"""Fields of events that the timeline omits: they are long, or no expectation can name them."""


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """The rules of a procedure in an organisation as sla and triage read them; several runs may share them."""

    rulebook: Rulebook
    triage_rules: TriageRules


def compile_simulation_rules(bound: BoundProcedure, organisation: Organisation, calendars: Mapping[str, Calendar]) -> CompiledRules:
    """Compile the rules; raises `ValueError` for a calendar that does not exist and for a condition with a syntax error."""
    known = {"default": default_calendar(), **calendars}
    names = [bound.procedure.calendar, organisation.calendar, *(department.calendar for department in organisation.departments)]
    if unknown := [name for name in names if name and name not in known]:
        raise ValueError(f"there is no calendar {unknown[0]}; the organisation has {', '.join(known)}")
    return CompiledRules(Rulebook(bound, organisation, known), compile_rules(bound, organisation))


@dataclass
class Simulation:
    """One run: the cases by scenario id and the timeline so far; `on_decision` is called with case id, input, decision and instant.

    `rules` are compiled from the first three unless they are given.
    """

    bound: BoundProcedure
    organisation: Organisation
    calendars: dict[str, Calendar] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    timeline: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    now: int = 0
    on_decision: Callable[[str, CaseInput, CaseDecision, int], None] | None = None
    rules: CompiledRules | None = None

    def __post_init__(self) -> None:
        rules = self.rules or compile_simulation_rules(self.bound, self.organisation, self.calendars)
        self.rulebook, self.triage_rules = rules.rulebook, rules.triage_rules
        self.triage_state = TriageState()
        self.worktime = self.rulebook.worktime_for("")
        self.last_number = 0

    def run(self, scenario: Scenario) -> list[dict[str, Any]]:
        """Run a scenario to its end; returns the events in order of time as mappings, with instants as datetimes."""
        inputs: list[tuple[int, ScenarioComplaint | ScenarioStep]] = [
            (to_micros(complaint.registered_at or complaint.received_at), complaint) for complaint in scenario.cases
        ]
        inputs += [(to_micros(step.at), step) for step in scenario.steps]
        inputs.sort(key=itemgetter(0))
        until = _end_instant(scenario, inputs)
        for at, scenario_input in inputs:
            if at > until:
                break
            # What is due exactly at `at` fires after the input: an action at the due instant is in time.
            self._advance_to(at - 1)
            self.now = max(self.now, at)
            if isinstance(scenario_input, ScenarioComplaint):
                self._register(scenario_input, at)
            else:
                self._take_action(scenario_input, at, scenario)
        self._advance_to(until)
        # By `at`: what a new class makes overdue is decided later than it happened (ADR 7).
        return [event for _, event in sorted(self.timeline, key=itemgetter(0))]

    def _advance_to(self, until: int) -> None:
        """Fire the timers of all cases up to and including an instant, the earliest first."""
        while True:
            due = [(at, case_id) for case_id, case in self.cases.items() if (at := next_due(case)) is not None and at <= until]
            if not due:
                return
            at, case_id = min(due)
            self.now = max(self.now, at)
            self._decide(case_id, AdvanceTime(at))

    def _register(self, complaint: ScenarioComplaint, at: int) -> None:
        self.last_number += 1
        source_context = source_context_for(complaint, self.bound, self.organisation, self.worktime.calendar.zone)
        registered = register_complaint(complaint, complaint.id or "case", self.last_number, self.worktime.to_datetime(at), source_context)
        self._apply_triage_events(self.triage_state.add_case(registered, self.triage_rules, self._triage_context(at)), at)

    def _apply_triage_events(self, events: list[CaseEvent], at: int) -> None:
        procedure = self.bound.procedure
        for event in events:
            if isinstance(event, Classified) and event.registered is not None:
                self._decide(event.case, event_mapping.to_open_case(event, procedure))
            else:
                self._decide(event.case, event_mapping.to_apply_decision(event, at, procedure))

    def _take_action(self, step: ScenarioStep, at: int, scenario: Scenario) -> None:
        case_id = step.case or scenario.cases[0].id or "case"
        self._decide(case_id, event_mapping.to_take_action(step.action, at, (step.role, step.person), step.data, self.bound.procedure))

    def _decide(self, case_id: str, case_input: CaseInput) -> None:
        case = self.cases.get(case_id)
        case_input = resolve_link(case, case_input, self.cases.get)
        decision = decide(case, case_input, self.rulebook, self.now)
        self.cases[case_id] = decision.case
        if self.on_decision is not None:
            self.on_decision(case_id, case_input, decision, self.now)
        for event in decision.events:
            fields = event_mapping.published_fields(event, decision.case, self.bound.procedure, self.worktime)
            self.timeline.append((event.at, {"event": event.type, **fields}))
        for other, message in decision.messages:
            if other in self.cases:
                self._decide(other, message)
        # Triage reads sla's events, of its own decisions only those that sla refused.
        for event in decision.events:
            if event.type in FOLLOWED_EVENTS and (event.cause != "triage" or event.type == "action_refused"):
                published_at = self.worktime.to_datetime(self.now)
                contract = event_mapping.to_contract_event(event, decision.case, self.bound.procedure, self.worktime, published_at)
                self._apply_triage_events(self.triage_state.apply_event(contract, self._triage_context(self.now)), self.now)

    def _triage_context(self, at: int) -> TriageContext:
        limited = self.triage_rules.working.limited
        open_cases = Counter(case.department for case in self.cases.values() if case.open) if limited else {}
        return TriageContext(self.worktime.to_datetime(at), self.worktime.calendar.zone, open_cases=open_cases)


def simulate_scenario(
    scenario: Scenario, bound: BoundProcedure, organisation: Organisation, calendars: dict[str, Calendar] | None = None
) -> list[dict[str, Any]]:
    """The timeline of a scenario: events in order of time, each a mapping with `at`, `event` and its fields that are not empty."""
    return run_to_timeline(Simulation(bound, organisation, calendars or {}), scenario)


def run_to_timeline(simulation: Simulation, scenario: Scenario) -> list[dict[str, Any]]:
    """As `simulate_scenario`, by a simulation that has not run yet."""
    events = simulation.run(scenario)
    has_case_ids = any(complaint.id for complaint in scenario.cases)
    return [_timeline_row(event, has_case_ids=has_case_ids) for event in events]


def _timeline_row(event: dict[str, Any], *, has_case_ids: bool) -> dict[str, Any]:
    row = {name: value for name, value in event.items() if name not in _OMITTED_FIELDS and value not in ("", None, [], {})}
    if not has_case_ids:
        row.pop("case", None)
    return {"at": row.pop("at"), **row}


def _end_instant(scenario: Scenario, inputs: Sequence[tuple[int, object]]) -> int:
    """`until`, else the last instant of inputs and expectations."""
    if scenario.until is not None:
        return to_micros(scenario.until)
    expected = (expectation.get(key) for expectation in scenario.expect for key in ("at", "before"))
    return max([at for at, _ in inputs] + [to_micros(at) for at in expected if isinstance(at, datetime)])
