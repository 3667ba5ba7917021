"""*Departments exist* (vocabulary.md): what the organisation or the register does not have is refused with field, rule and remedy."""

from typing import Any

import pytest

from services.sla.domain.lifecycle.links.records import CaseLink
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.organisation import open_organisation
from simulator.scenario import parse_scenario
from simulator.simulation import Simulation
from tests.unit.sla.timeline import event_lines, november_instant, run_steps, small_procedure

COMPANY: dict[str, Any] = {
    "departments": [{"id": "repairs", "head": "wang"}, {"id": "cleaning"}],
    "people": [{"id": "wang", "roles": ["officer"]}, {"id": "li", "roles": ["boss"]}],
}
PROCEDURE = "clocks: []"


@pytest.mark.parametrize(
    ("step", "field"),
    [
        ("route boss department=repair", "department"),
        ("route boss department=repairs cooperating=[cleanin]", "cooperating"),
        ("reassign boss department=Repairs", "department"),
        ("assign boss person=wag", "person"),
        ("assign boss role=offcer", "role"),
        ("hand_over boss to=cleanig", "to"),
        ("take_over boss to=cleanig", "to"),
        ("link boss case=nowhere as=repeat", "case"),
        ("link boss case=nowhere as=duplicate", "case"),
        ("link boss case=case as=repeat", "case"),
        ("unlink boss case=nowhere", "case"),
    ],
)
def test_route_reassign_assign_and_link_to_what_does_not_exist_are_refused(step: str, field: str) -> None:
    action = step.split(" ", maxsplit=1)[0]
    rows = run_steps(PROCEDURE, f"09 10:00 {step}", organisation=COMPANY)
    [refused] = [row for row in rows if row["event"] == "action_refused"]
    assert (refused["action"], refused["reason"].split(":")[0]) == (action, field)
    assert ";" in refused["reason"]  # the rule, then the remedy
    assert not any(value in refused["reason"] for value in ("nowhere", "wag", "offcer", "cleanig", "Repairs"))
    assert event_lines(rows, "routed", "reassigned", "assigned", "linked", "unlinked", "handed_over", "taken_over") == []


@pytest.mark.parametrize(
    ("step", "event"),
    [
        ("route boss department=repairs cooperating=[cleaning]", "routed"),
        ("assign boss person=wang", "assigned"),
        ("assign boss role=chief", "assigned"),  # the procedure has the role, though nobody holds it
        ("hand_over boss to=cleaning", "handed_over"),
        ("take_over boss to=officer", "taken_over"),
    ],
)
def test_what_exists_is_accepted(step: str, event: str) -> None:
    assert event_lines(run_steps(PROCEDURE, f"09 10:00 {step}", organisation=COMPANY), event, "action_refused")[0].startswith(
        f"09 10:00 {event}"
    )


def test_unlink_takes_off_the_link_that_it_names() -> None:
    assert links_after("link a repeat", "link b same_event", "unlink a") == [CaseLink("b", "same_event")]
    assert links_after("link a repeat", "link a same_event", "unlink a repeat") == [CaseLink("a", "same_event")]
    assert links_after("link a repeat", "unlink b") == [CaseLink("a", "repeat")]


def test_group_link_is_taken_off_by_its_group() -> None:
    simulation = Simulation(bind_parameters(small_procedure(PROCEDURE)), open_organisation())
    simulation.run(scenario([]))
    case = simulation.cases["c"]
    case.links = [CaseLink("a", "group", "g/b"), CaseLink("b", "repeat")]
    assert case.find_link({"to_case": "b", "group": "g/b"}) == CaseLink("a", "group", "g/b")
    assert case.find_link({"to_case": "b", "group": "other"}) is None


def links_after(*steps: str) -> list[CaseLink]:
    """The links of case c after such steps: action, case, kind."""
    simulation = Simulation(bind_parameters(small_procedure(PROCEDURE)), open_organisation())
    simulation.run(scenario([step.split(" ") for step in steps]))
    return simulation.cases["c"].links


def scenario(steps: list[list[str]]) -> Any:
    data = [
        {
            "at": november_instant(f"09 1{number}:00"),
            "case": "c",
            "action": step[0],
            "role": "boss",
            "data": dict(zip(("case", "as"), step[1:], strict=False)),
        }
        for number, step in enumerate(steps)
    ]
    complaints = [{"id": case, "received_at": november_instant("09 09:00"), "text": "x"} for case in "abc"]
    return parse_scenario({"procedure": "small", "complaints": complaints, "steps": data, "until": november_instant("09 20:00")}, "small")


def test_an_amendment_of_a_misspelt_fact_is_refused_with_the_nearest() -> None:
    text = "facts: {ward: {type: text}}"
    rows = run_steps(text, '09 10:00 amend boss facts={"wrad":"A"}', '09 11:00 amend boss facts={"ward":"A"}', organisation=COMPANY)
    [refused] = [row for row in rows if row["event"] == "action_refused"]
    assert (refused["rule"], refused["reason"]) == ("facts_exist", "facts.wrad: the procedure has no such fact; write ward")
    assert event_lines(rows, "amended") == ["09 11:00 amended boss"]
