"""*Duplicate or repeat* (vocabulary.md) from registration to the decisions of sla."""

from typing import Any

import pytest

from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.organisation import open_organisation
from simulator.scenario import parse_scenario
from tests.support.scenarios.recording_simulation import RecordingSimulation, replay_differences
from tests.unit.sla.timeline import november_instant, small_procedure

RULE = 'duplicates: {within: 2h, same: [object], clause: "7"}\n'
PROCEDURE = """
clocks:
- {id: work, clause: "1", starts: registered, stops: first_answered, owner: officer, due: [{within: 48h, do: [breach]}]}
counts:
- {id: second, clause: "8", key: complaint.object, same: complainant, threshold: 2, reaches_back: false, does: {as: repeat}}
"""


def run(rule: str, *steps: dict[str, Any], second: str = "09 10:30") -> tuple[RecordingSimulation, list[dict[str, Any]]]:
    """Two complaints of one person about one lift, the first received at 09:00; every ledger replays to the same case."""
    complaints = [
        {"id": case, "received_at": november_instant(at), "text": case, "object": "lift", "complainant": {"phone": "13800000000"}}
        for case, at in (("a", "09 09:00"), ("b", second))
    ]
    data = {"procedure": "small", "complaints": complaints, "steps": list(steps), "until": november_instant("09 18:00")}
    simulation = RecordingSimulation(bind_parameters(small_procedure(rule + PROCEDURE)), open_organisation())
    rows = simulation.run(parse_scenario(data, "small"))
    for case in simulation.cases:
        assert replay_differences(simulation, case) == []
    return simulation, rows


def step(at: str, on: str, action: str, **data: Any) -> dict[str, Any]:
    return {"at": november_instant(at), "case": on, "action": action, "role": "officer", "data": data}


def kinds(simulation: RecordingSimulation, case: str) -> list[tuple[str, str]]:
    return [(link.kind, link.case) for link in simulation.cases[case].links]


def test_second_submission_follows_the_first_while_that_is_unanswered() -> None:
    simulation, rows = run(RULE)
    assert simulation.cases["b"].lead == "a"
    assert [row["case"] for row in rows if row["event"] == "duplicate_joined"] == ["a"]
    assert kinds(simulation, "b") == [("duplicate", "a")]
    assert simulation.cases["b"].number != simulation.cases["a"].number


@pytest.mark.parametrize(
    "ended",
    [
        [step("09 10:00", "a", "answer", text="x")],
        [step("09 10:00", "a", "refuse", reason="x")],
        [step("09 09:50", "a", "handle", text="x"), step("09 10:00", "a", "close")],
    ],
)
def test_after_an_answer_or_the_end_of_the_first_the_second_is_a_repeat(ended: list[dict[str, Any]]) -> None:
    simulation, rows = run(RULE, *ended)
    assert simulation.cases["b"].lead == ""
    assert "duplicate" not in [kind for kind, _ in kinds(simulation, "b")]
    if ended[0]["action"] == "refuse":  # a refused case counts nowhere, so that there is nothing to repeat
        return
    assert kinds(simulation, "b") == [("repeat", "a")]
    [refused] = [row for row in rows if row["event"] == "action_refused"]
    assert (refused["action"], refused["rule"], refused["clause"]) == ("link", "link_target", "7")


def test_later_than_the_window_is_a_repeat() -> None:
    simulation, _ = run(RULE, second="09 11:01")
    assert kinds(simulation, "b") == [("repeat", "a")]


def test_without_the_rule_a_person_hears_of_the_proposal_and_decides() -> None:
    simulation, rows = run("")
    assert simulation.cases["b"].lead == ""
    assert kinds(simulation, "b") == [("repeat", "a")]
    [proposed] = [row for row in rows if row["event"] == "link_proposed"]
    assert (proposed["case"], proposed["to_case"], proposed["as"]) == ("b", "a", "duplicate")
    [told] = [row for row in rows if row["event"] == "notification_requested" and row["about"] == "link_proposed"]
    assert told["case"] == "b"
    simulation, _ = run("", step("09 11:00", "b", "link", case="a", **{"as": "duplicate"}))
    assert simulation.cases["b"].lead == "a"
