"""Scenarios run as the services run them, outages included, with the ledgers that come of it."""

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
    """A simulation that keeps each case's ledger; in an outage (from, to) nothing is decided, afterwards all that waited, late."""

    outages: Sequence[tuple[int, int]] = ()
    ledgers: dict[str, list[RecordedEvent]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.on_decision = self._record_decision

    def run_cases(self, scenario: Scenario) -> dict[str, Case]:
        """Run a scenario; gives the cases as they stand at its end."""
        self.run(scenario)
        return self.cases

    def find_rulebook(self, _basis: str, _procedure: str, _version: int, _parameters: Mapping[str, Any]) -> Rulebook:
        """The one rulebook of the simulation."""
        return self.rulebook

    def _record_decision(self, name: str, given: CaseInput, decision: CaseDecision, now: int) -> None:
        lines = to_recorded_events(given, decision.events, decision.case, self.rulebook, from_micros(now))
        self.ledgers.setdefault(name, []).extend(lines)

    def _advance_to(self, upto: int) -> None:
        for begun, ended in self.outages:
            if begun > upto:
                break
            super()._advance_to(begun)
            if upto < ended:
                self.now = max(self.now, ended)
                return
            self._catch_up(ended)
        super()._advance_to(upto)

    def _catch_up(self, ended: int) -> None:
        """After an outage the timers of a case that fell due meanwhile fire in one go."""
        for name, case in self.cases.items():
            due = next_due(case)
            if due is not None and due <= ended:
                self.now = max(self.now, ended)
                self._decide(name, AdvanceTime(ended))
