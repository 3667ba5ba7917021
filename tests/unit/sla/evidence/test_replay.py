"""Replay of a case from its ledger gives the events and the state of the live case."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from services.sla.domain.evidence.recorded_events import RecordedEvent
from services.sla.domain.evidence.replay import replay_decisions
from shared.procedures.calendars.calendar import Calendar
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.organisation import Organisation, open_organisation
from simulator.scenario import Scenario
from tests.support.packs import PACKS, pack, pack_scenarios
from tests.support.random_scenarios import DrawnScenario, bind_with_defaults, random_scenarios
from tests.support.recording import RecordingSimulation, replay_differences


def record_scenario(pack_name: str, scenario: Scenario, organisation: Organisation) -> RecordingSimulation:
    calendars = {str(calendar["id"]): Calendar.parse(calendar) for calendar in organisation.calendars}
    recording = RecordingSimulation(bind_parameters(pack(pack_name).procedure, scenario.parameters), organisation, calendars)
    recording.run_cases(scenario)
    return recording


@pytest.fixture
def recording() -> RecordingSimulation:
    _, scenario, organisation = pack_scenarios("hunan-property")[0]
    return record_scenario("hunan-property", scenario, organisation)


@pytest.mark.parametrize("pack_name", PACKS)
def test_replay_of_every_scenario_equals_live(pack_name: str) -> None:
    for title, scenario, organisation in pack_scenarios(pack_name):
        recording = record_scenario(pack_name, scenario, organisation)
        for case in recording.cases:
            assert replay_differences(recording, case) == [], title


@given(random_scenarios())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_replay_of_random_cases_equals_live_despite_outages(drawn: DrawnScenario) -> None:
    pack_name, scenario, outages = drawn
    recording = RecordingSimulation(bind_with_defaults(pack_name), open_organisation(), outages=outages)
    recording.run_cases(scenario)
    for case in recording.cases:
        assert replay_differences(recording, case) == []


def test_changed_event_is_reported_with_the_field_that_differs(recording: RecordingSimulation) -> None:
    def forge(recorded: RecordedEvent) -> RecordedEvent:
        if recorded.body["type"] != "clock_started":
            return recorded
        return replace(recorded, body={**recorded.body, "due_at": "2027-01-01T00:00:00+08:00"})

    forged = [forge(recorded) for recorded in recording.ledgers["case"]]
    assert "due_at: recorded" in replay_decisions(forged, recording.find_rulebook).differences[0]


def test_missing_event_is_reported(recording: RecordingSimulation) -> None:
    ledger = recording.ledgers["case"]
    assert "comes out, but is not recorded" in replay_decisions(ledger[:-1], recording.find_rulebook).differences[-1]


def test_decision_without_an_origin_is_reported_as_not_repeatable(recording: RecordingSimulation) -> None:
    first, *others = recording.ledgers["case"]
    differences = replay_decisions([replace(first, origin=""), *others], recording.find_rulebook).differences
    assert "event 1: cannot be decided again: ReplayError('event 1 has no origin that names its input')" in differences
