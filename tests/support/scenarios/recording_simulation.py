"""Simulates a scenario with outages and records the ledger of each case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.sla.domain.deadlines.worktime import from_micros
from services.sla.domain.evidence.recorded_events import RecordedEvent, to_recorded_events
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.decide import CaseDecision
from services.sla.domain.lifecycle.due_items import next_due
from services.sla.domain.lifecycle.inputs import AdvanceTime, CaseInput
from services.sla.domain.rules.rulebook import Rulebook
from simulator.scenario import Scenario
from simulator.simulation import Simulation


@dataclass
class RecordingSimulation(Simulation):
    """A simulation that records each case's ledger; input during an outage (from, to) is decided at its end."""

    outages: Sequence[tuple[int, int]] = ()
    ledgers: dict[str, list[RecordedEvent]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.on_decision = self._record_decision

    def run_cases(self, scenario: Scenario) -> dict[str, Case]:
        """Run a scenario; returns the cases in their final state."""
        self.run(scenario)
        return self.cases

    def find_rulebook(self, _basis: str, _procedure: str, _version: int, _parameters: Mapping[str, Any]) -> Rulebook:
        """The one rulebook of the simulation."""
        return self.rulebook

    def _record_decision(self, name: str, case_input: CaseInput, decision: CaseDecision, now: int) -> None:
        lines = to_recorded_events(case_input, decision.events, decision.case, self.rulebook, from_micros(now))
        self.ledgers.setdefault(name, []).extend(lines)

    def _advance_to(self, upto: int) -> None:
        for start, end in self.outages:
            if start > upto:
                break
            super()._advance_to(start)
            if upto < end:
                self.now = max(self.now, end)
                return
            self._catch_up(end)
        super()._advance_to(upto)

    def _catch_up(self, end: int) -> None:
        """Fire the timers that fell due during an outage, one input for each case."""
        for name, case in self.cases.items():
            due = next_due(case)
            if due is not None and due <= end:
                self.now = max(self.now, end)
                self._decide(name, AdvanceTime(end))
