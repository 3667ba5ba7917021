"""*The accused are left out* (vocabulary.md): he and those who report to him; the one above takes the place."""

from typing import Any

import pytest

from shared.procedures.accused import excluded_people, names_that_exclude
from shared.procedures.organisation import Organisation
from tests.unit.sla.timeline import TimelineRow, run_steps

COMPANY: dict[str, Any] = {
    "line": {"officer": "boss", "boss": "chief", "owner": "chief"},
    "departments": [{"id": "centre", "head": "zhao"}, {"id": "desk", "head": "qian", "parent": "centre"}, {"id": "works", "head": "wu"}],
    "people": [
        {"id": "zhao", "name": "赵", "roles": ["chief"], "department": "centre"},
        {"id": "qian", "name": "钱", "roles": ["boss"], "department": "desk"},
        {"id": "sun", "name": "孙", "roles": ["officer"], "department": "desk"},
        {"id": "li", "name": "李", "roles": ["officer"], "department": "desk"},
        {"id": "wu", "name": "孙", "roles": ["boss"], "department": "works"},
        {"id": "zhou", "name": "周", "roles": ["officer"], "department": "works"},
    ],
    "fallback": "sun",
}
PROCEDURE = """
clocks: []
actions: {approve: {by: boss, clause: "1"}}
ladders: [{id: up, clause: "2", rungs: [officer, boss, chief], every: 1h}]
reactions:
- {id: tell, "on": signed, do: [{notify: officer}, {notify: boss}, {notify: owner}], clause: "3"}
- {id: name, "on": reported, do: [{assign: boss}], clause: "4"}
- {id: climb, "on": instructed, do: [{escalate: up}], clause: "5"}
"""


def excluded(*against: str) -> set[str]:
    return set(excluded_people(Organisation.model_validate({"id": "company", **COMPANY}), against))


def run(*steps: str, against: list[str]) -> list[TimelineRow]:
    return run_steps(PROCEDURE, "09 09:10 route chief department=desk", *steps, organisation=COMPANY, against=against)


def persons(rows: list[TimelineRow]) -> list[list[str]]:
    return [row["persons"] for row in rows if row["event"] == "notification_requested"]


def test_the_accused_is_named_by_id_or_by_a_name_that_only_one_person_has() -> None:
    assert excluded("li") == excluded("李") == {"li"}
    assert excluded("孙") == set()  # two people have the name
    assert excluded("desk", "nobody") == set()


def test_those_who_report_to_the_accused_are_left_out_too() -> None:
    assert excluded("qian") == {"qian", "sun", "li"}
    assert excluded("zhao") == {"zhao", "qian", "sun", "li"}
    assert excluded("wu") == {"wu", "zhou"}


def test_the_names_that_exclude_a_person_are_all_that_do() -> None:
    organisation = Organisation.model_validate({"id": "company", **COMPANY})
    names = {name for person in organisation.people for name in (person.id, person.name)} | {"centre", "desk", "works", ""}
    for person in organisation.people:
        excluding = {name for name in names if person.id in excluded_people(organisation, [name])}
        assert names_that_exclude(organisation, person.id) == excluding
    assert names_that_exclude(organisation, "sun") == {"sun", "qian", "zhao", "钱", "赵"}


def test_the_accused_is_never_a_recipient_and_the_one_above_takes_the_place() -> None:
    rows = run("09 10:00 sign officer", against=["qian"])
    assert persons(rows) == [["zhao"]] * 3


def test_the_other_holders_of_a_role_stay_recipients() -> None:
    assert persons(run("09 10:00 sign officer", against=["李"])) == [["sun"], ["qian"], ["sun"]]


def test_the_accused_is_no_step_of_the_ladder() -> None:
    rows = run("09 10:00 instruct chief", against=["qian"])
    assert [row["recipients"] for row in rows if row["event"] == "escalated"] == [["chief"]]


def test_fallback_person_does_not_hear_of_the_complaint_against_himself() -> None:
    rows = run("09 10:00 sign officer", against=["zhao", "sun"])
    assert persons(rows) == []
    assert [row.get("recipients", []) for row in rows if row["event"] == "no_recipient"] == [[]] * 3


@pytest.mark.parametrize("data", ["person=qian", "person=sun", "role=officer"])
def test_the_accused_is_never_an_assignee(data: str) -> None:
    rows = run(f"09 10:00 assign chief {data}", against=["qian"])
    assert rows[-1]["event"] == "action_refused"
    assert run(f"09 10:00 assign chief {data}", against=["wu"])[-1]["event"] == "assigned"


def test_the_accused_is_not_named_to_the_customer_as_the_person_to_talk_to() -> None:
    assert [run(f"09 10:00 contact chief person={name}", against=["qian"])[-1]["event"] for name in ("sun", "zhao")] == [
        "action_refused",
        "contacted",
    ]


def test_the_one_above_is_assigned_in_place_of_the_accused() -> None:
    assigned = run("09 10:00 report officer", against=["qian"])[-1]
    assert (assigned["event"], assigned["to_role"], assigned["person"]) == ("assigned", "chief", "zhao")


def test_the_accused_is_never_an_approver_and_the_one_above_is() -> None:
    submitted = "09 10:00 submit_measures officer"
    assert run(submitted, "09 11:00 approve chief", against=["wu"])[-1]["clause"] == "1"
    assert run(submitted, "09 11:00 approve chief", against=["qian"])[-1]["event"] == "measures_approved"
    rows = run_steps(PROCEDURE, submitted, "09 11:00 approve boss", against=["boss"])
    assert (rows[-1]["event"], rows[-1]["rule"]) == ("action_refused", "accused_left_out")


@pytest.mark.parametrize("ending", ["close boss", "refuse boss reason=elsewhere"])
def test_the_accused_does_not_end_the_complaint_against_himself(ending: str) -> None:
    rows = run_steps(PROCEDURE, "09 10:00 answer officer", f"09 11:00 {ending}", against=["boss"])
    assert (rows[-1]["event"], rows[-1]["rule"]) == ("action_refused", "accused_left_out")
    rows = run_steps(PROCEDURE, "09 10:00 answer officer", f"09 11:00 {ending}", against=["officer"])
    assert rows[-1]["event"] in ("closed", "refused")
