"""What is tallied event by event agrees with what the reports count afterwards, on every scenario of the packs."""

from __future__ import annotations

from collections import Counter

import pytest

from services.sla.domain.lifecycle.case import Event
from services.sla.domain.lifecycle.decide import CaseDecision
from services.sla.domain.lifecycle.inputs import CaseInput
from services.sla.domain.reports.case_progress import finished_runs
from services.sla.domain.reports.event_figures import ANSWERS, CALLED_BACK, CLOSED, DEADLINES, DEEMED, ESCALATIONS, URGINGS, figures_of
from services.sla.domain.reports.statistics import CALL_BACK_OUTCOMES
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from simulator.run import organisation_calendars
from simulator.simulation import Simulation
from tests.support.scenarios.packs import pack, pack_scenarios


def fields(event: Event) -> dict[str, object]:
    return {**event.data, "type": event.type}


class Tally:
    """The figures and the events of one simulation."""

    def __init__(self, procedure: Procedure) -> None:
        self.procedure = procedure
        self.figures: Counter[tuple[str, str]] = Counter()
        self.events: dict[str, list[Event]] = {}

    def __call__(self, name: str, _input: CaseInput, decision: CaseDecision, _now: int) -> None:
        for event in decision.events:
            self.figures.update(figures_of(fields(event), decision.case, self.procedure))
            self.events.setdefault(name, []).append(event)

    def total(self, name: str) -> int:
        return sum(number for (figure, _), number in self.figures.items() if figure == name)

    def of_type(self, *types: str) -> int:
        return sum(event.type in types for events in self.events.values() for event in events)


def finished(tally: Tally) -> tuple[int, int]:
    """Deadlines that ended, and those met, as the reports count them."""
    limits = {clock.id for clock in tally.procedure.clocks if clock.due}
    ends = [in_time for events in tally.events.values() for event, in_time in finished_runs(events) if event.data["clock"] in limits]
    return len(ends), sum(ends)


# Every scenario of every pack takes a minute and was run once; these have each kind of figure.
@pytest.mark.parametrize("name", ["hunan-property", "telecom-urgent", "greentown-qd1001"])
def test_tally_agrees_with_the_reports(name: str) -> None:
    for path, scenario, organisation in pack_scenarios(name)[::4]:
        bound = bind_parameters(pack(name).procedure, scenario.parameters)
        simulation = Simulation(bound, organisation, organisation_calendars(organisation))
        tally = Tally(bound.procedure)
        simulation.on_decision = tally
        simulation.run(scenario)
        outcomes = {outcome: number for (figure, outcome), number in tally.figures.items() if figure == DEADLINES}
        known_late = outcomes.pop("known_late", 0)
        assert (sum(outcomes.values()), outcomes.get("met", 0)) == finished(tally), path
        assert known_late >= 0
        assert tally.total(CLOSED) == tally.of_type("closed"), path
        assert tally.total(ANSWERS) == tally.of_type("called_back", "rated"), path
        assert tally.total(URGINGS) == tally.of_type("urged"), path
        assert tally.total(DEEMED) == sum("_deemed_" in event.type for events in tally.events.values() for event in events), path
        assert tally.total(CALLED_BACK) <= tally.of_type("called_back"), path
        assert tally.total(ESCALATIONS) <= tally.of_type("escalated"), path
        assert {outcome for figure, outcome in tally.figures if figure == ANSWERS} <= set(CALL_BACK_OUTCOMES)
