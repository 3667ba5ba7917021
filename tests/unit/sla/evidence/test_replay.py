"""Replay equals live: from a case's ledger alone the same events, deadlines and state come out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from services.sla.domain.evidence.recorded_events import RecordedEvent
from services.sla.domain.evidence.replay import replay_decisions
from shared.procedures.calendars.calendar import Calendar
from shared.procedures.loading.loader import installed_packs, load_organisation, load_pack, load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.organisation import Organisation, open_organisation
from simulator.scenario import Scenario, read_scenario
from tests.support.random_scenarios import DrawnScenario, bind_with_defaults, random_scenarios
from tests.support.recording import RecordingSimulation, replay_differences


def organisation_of(scenario: Scenario, base: Path) -> Organisation:
    if scenario.organisation is None:
        return open_organisation()
    if isinstance(scenario.organisation, dict):
        return Organisation.model_validate(scenario.organisation)
    return load_organisation(base / scenario.organisation)


@pytest.mark.parametrize("pack", installed_packs())
def test_every_scenario_of_a_pack_comes_out_again(pack: str) -> None:
    for path in load_pack(pack).scenarios:
        scenario = read_scenario(path)
        organisation = organisation_of(scenario, path.parent)
        calendars = {str(each["id"]): Calendar.parse(each) for each in organisation.calendars}
        recording = RecordingSimulation(
            bind_parameters(load_procedure(scenario.procedure, base_folder=path.parent), scenario.parameters), organisation, calendars
        )
        recording.run_cases(scenario)
        for name in recording.cases:
            assert not replay_differences(recording, name), path.name


@given(random_scenarios())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_random_cases_come_out_again_whatever_the_outages(drawn: DrawnScenario) -> None:
    pack, scenario, outages = drawn
    recording = RecordingSimulation(bind_with_defaults(pack), open_organisation(), outages=outages)
    recording.run_cases(scenario)
    for name in recording.cases:
        assert not replay_differences(recording, name)


def test_a_changed_event_is_named_with_the_field_that_departs() -> None:
    recording = _ordinary()
    lines = recording.ledgers["case"]
    place = next(i for i, line in enumerate(lines) if line.body["type"] == "clock_started")
    forged = {**lines[place].body, "due_at": "2027-01-01T00:00:00+08:00"}
    changed = [*lines[:place], RecordedEvent(forged, lines[place].cause, lines[place].origin), *lines[place + 1 :]]
    assert "due_at: recorded" in replay_decisions(changed, recording.find_rulebook).differences[0]


def test_an_event_left_out_is_named() -> None:
    recording = _ordinary()
    lines = recording.ledgers["case"]
    assert "comes out, but is not recorded" in replay_decisions(lines[:-1], recording.find_rulebook).differences[-1]


def _ordinary() -> RecordingSimulation:
    path = next(path for path in load_pack("hunan-property").scenarios)
    scenario = read_scenario(path)
    recording = RecordingSimulation(bind_parameters(load_procedure("hunan-property"), scenario.parameters), open_organisation())
    recording.run_cases(scenario)
    return recording
