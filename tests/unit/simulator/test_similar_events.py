"""The same event in other words in scenarios: the group, what it says of the members, and a member that a person takes out."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from shared.procedures.checks.expressions import check_expressions
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.explain.triage_texts import describe_count
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation
from simulator.scenario import Scenario
from simulator.simulation import Simulation

TEXTS = ("翠湖花园电梯停运三天，老人上不了楼", "翠湖花园的电梯坏了三天没有人修", "翠湖花园老人上不了楼，电梯停运三天了没人管")
ELSEWHERE = "金桂花园电梯停运三天，老人上不了楼"
PROCEDURE = Procedure.model_validate(
    {
        "id": "telling",
        "version": 1,
        "title": {"zh": "事件", "en": "Events"},
        "register": {"number": "E-{year}-{seq:05}"},
        "roles": ["handler"],
        "classes": [{"id": "batch", "when": "false"}, {"id": "ordinary"}],
        "counts": [
            {
                "id": "event",
                "similar": {},
                "threshold": 3,
                "distinct": "complainant",
                "window": "60d",
                "does": {"as": "same_event", "reclassify": "batch"},
            }
        ],
    }
)


def run(texts: list[str], *steps: dict[str, Any]) -> Simulation:
    complaints = [
        {
            "id": f"c{number}",
            "received_at": f"2026-11-02T10:{number:02}:00+08:00",
            "complainant": {"phone": f"1380000000{number}"},
            "text": text,
        }
        for number, text in enumerate(texts)
    ]
    fields = {"procedure": "telling", "complaints": complaints, "steps": list(steps), "until": "2026-11-02T12:00:00+08:00", "expect": []}
    organisation = Organisation.model_validate({"id": "o", "departments": [{"id": "unassigned"}]})
    simulation = Simulation(bind_parameters(PROCEDURE), organisation)
    simulation.run(Scenario.model_validate(fields))
    return simulation


def linked_cases(simulation: Simulation) -> set[str]:
    return {case for case, known in simulation.cases.items() if any(link.kind == "same_event" for link in known.links)}


def alarms(simulation: Simulation) -> list[str]:
    return [fields["case"] for _, fields in simulation.timeline if fields["event"] == "group_found"]


def test_third_complainant_brings_one_alarm() -> None:
    simulation = run([*TEXTS, TEXTS[0]])
    assert alarms(simulation) == ["c2"]
    assert linked_cases(simulation) == {"c0", "c1", "c2", "c3"}
    assert {case.class_ for case in simulation.cases.values()} == {"batch"}


def test_another_place_brings_none() -> None:
    assert alarms(run([TEXTS[0], TEXTS[1], ELSEWHERE])) == []


def test_unlinked_member_is_no_member_any_more() -> None:
    unlink = {"at": "2026-11-02T11:00:00+08:00", "case": "c3", "action": "unlink", "role": "handler", "data": {"case": "c2"}}
    simulation = run([*TEXTS, TEXTS[0]], unlink)
    assert linked_cases(simulation) == {"c0", "c1", "c2"}
    assert simulation.cases["c3"].class_ == "ordinary"


def test_unlinking_one_of_three_dissolves_the_group() -> None:
    unlink = {"at": "2026-11-02T11:00:00+08:00", "case": "c0", "action": "unlink", "role": "handler", "data": {"case": "c2"}}
    simulation = run([*TEXTS], unlink)
    assert linked_cases(simulation) == set()
    assert {case.class_ for case in simulation.cases.values()} == {"ordinary"}


def test_entry_passes_the_check() -> None:
    assert list(check_expressions(PROCEDURE)) == []


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("zh", "60个自然日内用不同说法反映同一事件的投诉达到3名不同投诉人的"),
        ("en", "once 3 different complainants within 60 calendar days tell of the same event in other words"),
    ],
)
def test_entry_is_explained(language: Literal["zh", "en"], line: str) -> None:
    texts = ProcedureTexts(PROCEDURE, language)
    description = " ".join(describe_count(texts, PROCEDURE.counts[0]))
    assert line in description
    assert "0.14" in description
