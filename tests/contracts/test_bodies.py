"""The contract models read the JSON that sla's core writes: every event of every scenario of the packs."""

import pytest

from services.sla.domain.evidence import hash_chain
from services.sla.domain.lifecycle.decide import CaseDecision
from services.sla.domain.lifecycle.inputs import CaseInput
from services.sla.domain.views import event_mapping
from shared.contracts import decode_body
from shared.procedures.loading.loader import installed_packs, load_pack, load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from simulator.run import organisation_calendars, scenario_organisation
from simulator.scenario import read_scenario
from simulator.simulation import Simulation


@pytest.mark.parametrize("name", installed_packs())
def test_the_models_read_every_event_that_the_core_writes(name: str) -> None:
    event_count = 0
    for file in load_pack(name).scenarios:
        scenario = read_scenario(file)
        bound = bind_parameters(load_procedure(scenario.procedure, base_folder=file.parent), scenario.parameters)
        organisation = scenario_organisation(scenario, file.parent)
        run = Simulation(bound, organisation, organisation_calendars(organisation))
        bodies: list[tuple[str, bytes]] = []

        def encode_events(
            _case: str, _input: CaseInput, decision: CaseDecision, now: int, run: Simulation = run, bodies: list[tuple[str, bytes]] = bodies
        ) -> None:
            procedure = run.bound.procedure
            common = {"recorded_at": run.worktime.to_datetime(now), "procedure": procedure.id, "version": procedure.version}
            for event in decision.events:
                fields = {"type": event.type, **event_mapping.published_fields(event, decision.case, procedure, run.worktime), **common}
                bodies.append((event.type, hash_chain.canonical_json(fields)))

        run.on_decision = encode_events
        run.run(scenario)
        for event_type, body in bodies:
            assert decode_body(event_type, body)
        event_count += len(bodies)
    assert event_count
