"""What sla's core writes as JSON itself is what the models read: every event of every pack's scenarios."""

import pytest

from cli.commands.authoring.simulate import scenario_organisation
from services.sla.domain.evidence import hash_chain
from services.sla.domain.lifecycle.decide import CaseDecision
from services.sla.domain.lifecycle.inputs import CaseInput
from services.sla.domain.views import event_mapping
from shared.contracts import decode_body
from shared.procedures.calendars.calendar import Calendar
from shared.procedures.loading.loader import installed_packs, load_pack, load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from simulator.scenario import read_scenario
from simulator.simulation import Simulation


@pytest.mark.parametrize("name", installed_packs())
def test_every_body_of_the_core_is_read_by_its_model(name: str) -> None:
    read_back = 0
    for file in load_pack(name).scenarios:
        scenario = read_scenario(file)
        bound = bind_parameters(load_procedure(scenario.procedure, base_folder=file.parent), scenario.parameters)
        organisation = scenario_organisation(scenario, file.parent)
        run = Simulation(bound, organisation, {str(each["id"]): Calendar.parse(each) for each in organisation.calendars})
        bodies: list[tuple[str, bytes]] = []

        def keep(
            _case: str, _given: CaseInput, decision: CaseDecision, now: int, run: Simulation = run, bodies: list[tuple[str, bytes]] = bodies
        ) -> None:
            procedure = run.bound.procedure
            about = {"recorded_at": run.worktime.to_datetime(now), "procedure": procedure.id, "version": procedure.version}
            for event in decision.events:
                fields = {"type": event.type, **event_mapping.published_fields(event, decision.case, procedure, run.worktime), **about}
                bodies.append((event.type, hash_chain.canonical_json(fields)))

        run.on_decision = keep
        run.run(scenario)
        for kind, body in bodies:
            assert decode_body(kind, body)
        read_back += len(bodies)
    assert read_back
