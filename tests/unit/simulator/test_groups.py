"""Groups from triage to sla: the complainant's keys from intake's registration, and the fact that a group sets and takes off."""

from __future__ import annotations

from typing import Any

import pytest

from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.organisation import Organisation
from simulator.scenario import Scenario
from simulator.simulation import Simulation

PHONE, MAIL, ID_NUMBER = {"phone": "13800000000"}, {"email": "wang@qq.com"}, {"id_number": "11010519491231002X"}


def run(complainants: list[dict[str, str]], *steps: dict[str, Any]) -> Simulation:
    complaints = [
        {"id": f"c{number}", "received_at": f"2026-11-02T10:{number:02}:00+08:00", "complainant": who, "text": "停水", "object": "停水"}
        for number, who in enumerate(complainants)
    ]
    until = "2026-11-02T12:00:00+08:00"
    fields = {"procedure": "property-three-class", "complaints": complaints, "steps": list(steps), "until": until, "expect": []}
    scenario = Scenario.model_validate(fields)
    bound = bind_parameters(load_procedure("property-three-class"))
    organisation = Organisation.model_validate({"id": "o", "departments": [{"id": "unassigned"}]})
    simulation = Simulation(bound, organisation)
    simulation.run(scenario)
    return simulation


def linked(simulation: Simulation, kind: str) -> set[str]:
    return {fields["case"] for _, fields in simulation.timeline if fields["event"] == "linked" and fields["as"] == kind}


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 1, 0), (1, 0, 2)])
def test_chain_of_keys_makes_the_last_one_a_repeat_in_any_order(order: tuple[int, ...]) -> None:
    people = [PHONE, MAIL, PHONE | MAIL]
    assert "c2" in linked(run([people[index] for index in order]), "repeat")


def test_five_submissions_of_one_chain_are_no_group_of_five_customers() -> None:
    assert linked(run([PHONE, MAIL, PHONE | MAIL, MAIL | ID_NUMBER, ID_NUMBER]), "group") == set()


def test_two_id_numbers_with_one_phone_are_two_people() -> None:
    other = {"id_number": "110105194912310038"}
    assert linked(run([PHONE | ID_NUMBER, PHONE | other]), "repeat") == set()


def test_sla_takes_the_fact_off_when_the_group_dissolves() -> None:
    refuse = {"at": "2026-11-02T11:00:00+08:00", "case": "c0", "action": "refuse", "role": "customer_service", "data": {"reason": "误拨"}}
    owners: list[dict[str, str]] = [{"name": name} for name in "赵钱孙李周"]
    assert {case.facts.get("joint") for case in run(owners).cases.values()} == {True}
    dissolved = run(owners, refuse).cases
    assert [(case.facts.get("joint"), case.class_) for case in dissolved.values()] == [(None, "class_3")] * 5
