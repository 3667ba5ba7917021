"""The services' pure cores in a loop, on a made-up clock: registration, triage, decisions and timers of a scenario."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.decide import CaseDecision, decide
from services.sla.domain.lifecycle.due_items import next_due
from services.sla.domain.lifecycle.inputs import AdvanceTime, CaseInput
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views import event_mapping
from services.triage.domain.assess import assess
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.state import FOLLOWED_EVENTS, TriageState
from shared.contracts.events import CaseEvent
from shared.contracts.events.triage import Classified
from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.model.bound_procedure import BoundProcedure
from shared.procedures.organisation import Organisation
from simulator.registration import register_complaint, source_context_for
from simulator.scenario import Scenario, ScenarioComplaint, ScenarioStep

HIDDEN = frozenset({"complaint", "contact", "values", "data", "registered", "facts", "figures", "procedure", "version", "recorded_at"})
"""Fields of events that the timeline leaves out: long, or not said in the scenario format."""


@dataclass
class Simulation:
    """One run: cases by scenario id, and the timeline so far; `watch` is told of each decision: case, input, decision, now."""

    bound: BoundProcedure
    organisation: Organisation
    calendars: dict[str, Calendar] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    timeline: list[tuple[int, int, dict[str, Any]]] = field(default_factory=list)
    now: int = 0
    on_decision: Callable[[str, CaseInput, CaseDecision, int], None] | None = None

    def __post_init__(self) -> None:
        calendars = {"default": default_calendar(), **self.calendars}
        named = [self.bound.procedure.calendar, self.organisation.calendar, *(unit.calendar for unit in self.organisation.departments)]
        if unknown := [name for name in named if name and name not in calendars]:
            raise ValueError(f"there is no calendar {unknown[0]}; the organisation has {', '.join(calendars)}")
        self.rulebook = Rulebook(self.bound, self.organisation, calendars)
        self.triage_state = TriageState(self.organisation)
        self.worktime = self.rulebook.worktime_for("")
        self.last_number = 0

    def run(self, scenario: Scenario) -> list[dict[str, Any]]:
        """Run a scenario to its end; gives the timeline as the scenario format has it, with instants as datetimes."""
        inputs: list[tuple[int, ScenarioComplaint | ScenarioStep]] = [
            (to_micros(each.registered_at or each.received_at), each) for each in scenario.cases
        ]
        inputs += [(to_micros(step.at), step) for step in scenario.steps]
        inputs.sort(key=lambda each: each[0])
        until = _end_instant(scenario, inputs)
        for at, given in inputs:
            if at > until:
                break
            self._advance_to(at - 1)
            self.now = max(self.now, at)
            if isinstance(given, ScenarioComplaint):
                self._register(given, at)
            else:
                self._step(given, at, scenario)
        self._advance_to(until)
        return [row for _, _, row in sorted(self.timeline, key=lambda each: each[0])]

    def _advance_to(self, upto: int) -> None:
        """Let time pass: every case whose next instant comes first is looked at then."""
        while True:
            due = [(at, name) for name, case in self.cases.items() if (at := next_due(case)) is not None and at <= upto]
            if not due:
                return
            at, name = min(due)
            self.now = max(self.now, at)
            self._decide(name, AdvanceTime(at))

    def _register(self, complained: ScenarioComplaint, at: int) -> None:
        self.last_number += 1
        desk = source_context_for(complained, self.bound, self.organisation, self.worktime.calendar.zone)
        event = register_complaint(complained, complained.id or "case", self.last_number, self.worktime.to_datetime(at), desk)
        context = self._context(at)
        decision = assess(event.complaint, self.bound, self.organisation, context)
        self._apply_triage_events(self.triage_state.add_case(event, decision, context), at)

    def _apply_triage_events(self, events: list[CaseEvent], at: int) -> None:
        procedure = self.bound.procedure
        for event in events:
            if isinstance(event, Classified) and event.registered is not None:
                self._decide(event.case, event_mapping.to_open_case(event, procedure))
            else:
                self._decide(event.case, event_mapping.to_apply_decision(event, at, procedure))

    def _step(self, step: ScenarioStep, at: int, scenario: Scenario) -> None:
        name = step.case or next(iter(each.id or "case" for each in scenario.cases))
        self._decide(name, event_mapping.to_take_action(step.action, at, (step.role, step.person), step.data, self.bound.procedure))

    def _decide(self, name: str, given: CaseInput) -> None:
        decision = decide(self.cases.get(name), given, self.rulebook, self.now)
        self.cases[name] = decision.case
        if self.on_decision is not None:
            self.on_decision(name, given, decision, self.now)
        followed = []
        for event in decision.events:
            row = event_mapping.published_fields(event, decision.case, self.bound.procedure, self.worktime)
            self.timeline.append((event.at, len(self.timeline), {"event": event.type, **row}))
            if event.type in FOLLOWED_EVENTS and event.cause != "triage":
                followed.append(event)
        for event in followed:
            at = self.worktime.to_datetime(self.now)
            contract = event_mapping.to_contract_event(event, decision.case, self.bound.procedure, self.worktime, at)
            self._apply_triage_events(self.triage_state.apply_event(contract, self._context(self.now)), self.now)

    def _context(self, at: int) -> TriageContext:
        return TriageContext(self.worktime.to_datetime(at), self.worktime.calendar.zone)


def simulate_scenario(
    scenario: Scenario, bound: BoundProcedure, organisation: Organisation, calendars: dict[str, Calendar] | None = None
) -> list[dict[str, Any]]:
    """The timeline of a scenario: events in order, each a mapping with `at`, `event` and what applies; instants are datetimes."""
    rows = Simulation(bound, organisation, calendars or {}).run(scenario)
    named = bool(scenario.complaints) or bool(scenario.complaint and scenario.complaint.id)
    return [_row(row, named=named) for row in rows]


def _row(row: dict[str, Any], *, named: bool) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name not in HIDDEN and value not in ("", None, [], {})}
    if not named:
        kept.pop("case", None)
    return {"at": kept.pop("at"), **kept}


def _end_instant(scenario: Scenario, inputs: list[tuple[int, Any]]) -> int:
    if scenario.until is not None:
        return to_micros(scenario.until)
    named = [each[key] for each in scenario.expect for key in ("at", "before") if isinstance(each.get(key), datetime)]
    return max([at for at, _ in inputs] + [to_micros(at) for at in named])


__all__ = ["CaseDecision", "Simulation", "simulate_scenario"]
