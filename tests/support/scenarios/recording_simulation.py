"""Scenarios simulated with outages and outcomes of notifications, and the ledgers that they leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from services.sla.domain.deadlines.worktime import from_micros
from services.sla.domain.evidence.recorded_events import RecordedEvent, to_recorded_events
from services.sla.domain.evidence.replay import apply_eventless_steps, replay_decisions, state_differences
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.decide import CaseDecision
from services.sla.domain.lifecycle.due_items import next_due
from services.sla.domain.lifecycle.inputs import AdvanceTime, ApplyDecision, CaseInput
from services.sla.domain.rules.rulebook import Rulebook
from simulator.scenario import Scenario, ScenarioStep
from simulator.simulation import Simulation

OUTCOMES_A_STEP = 3
"""A message that answers the outcome of a message doubles their number at each step, without end."""


@dataclass
class RecordingSimulation(Simulation):
    """A simulation that records each case's ledger and the events of each decision.

    During an outage (from, to) nothing is decided; what waited is decided afterwards, late. If `notification_outcome` is the
    type of an event, it is reported for the first `OUTCOMES_A_STEP` notifications requested since the step before.
    """

    outages: Sequence[tuple[int, int]] = ()
    notification_outcome: str = ""
    ledgers: dict[str, list[RecordedEvent]] = field(default_factory=dict)
    decisions: dict[str, list[list[Event]]] = field(default_factory=dict)
    _requested: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.on_decision = self._record_decision

    def run_cases(self, scenario: Scenario) -> dict[str, Case]:
        """Run a scenario; returns the cases at its end."""
        self.run(scenario)
        return self.cases

    def find_rulebook(self, _basis: str, _procedure: str, _version: int, _parameters: Mapping[str, Any]) -> Rulebook:
        """The one rulebook of the simulation."""
        return self.rulebook

    def _record_decision(self, name: str, case_input: CaseInput, decision: CaseDecision, now: int) -> None:
        recorded = to_recorded_events(case_input, decision.events, decision.case, self.rulebook, from_micros(now))
        self.ledgers.setdefault(name, []).extend(recorded)
        self.decisions.setdefault(name, []).append(decision.events)
        self._requested += [(name, event.data["notification"]) for event in decision.events if event.type == "notification_requested"]

    def _take_action(self, step: ScenarioStep, at: int, scenario: Scenario) -> None:
        requested, self._requested = self._requested, []
        if self.notification_outcome:
            for name, notification in requested[:OUTCOMES_A_STEP]:
                outcome = {"notification": notification, "delivery": "d", "channel": "sms"}
                self._decide(name, ApplyDecision(self.notification_outcome, at, outcome, "message"))
        super()._take_action(step, at, scenario)

    def _advance_to(self, upto: int) -> None:
        for begins, ends in self.outages:
            if begins > upto:
                break
            super()._advance_to(begins)
            if upto < ends:
                self.now = max(self.now, ends)
                return
            self._catch_up(ends)
        super()._advance_to(upto)

    def _catch_up(self, until: int) -> None:
        """Fire the timers of a case that fell due during an outage in one decision."""
        for name, case in self.cases.items():
            due = next_due(case)
            if due is not None and due <= until:
                self.now = max(self.now, until)
                self._decide(name, AdvanceTime(until))


def replay_differences(recording: RecordingSimulation, name: str) -> list[str]:
    """The differences between a recorded case and its replay: those of its events, else those of its state."""
    live = recording.cases[name]
    replayed = replay_decisions(recording.ledgers[name], recording.find_rulebook)
    due = next_due(live)
    apply_eventless_steps(replayed, None if due is None else due - 1)
    assert replayed.case is not None
    return replayed.differences or state_differences(replayed.case, orjson.loads(orjson.dumps(asdict(live))))
