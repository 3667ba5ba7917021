"""*The complainant speaks again* (vocabulary.md): urge, supplement and rate."""

from typing import Any

import pytest

from tests.unit.sla.timeline import TimelineRow, event_lines, run_steps

COMPANY: dict[str, Any] = {
    "departments": [{"id": "works", "head": "wang"}],
    "people": [
        {"id": "wang", "roles": ["boss"], "department": "works"},
        {"id": "li", "roles": ["officer"], "department": "works"},
        {"id": "zhao", "roles": ["chief"]},
    ],
}
PROCEDURE = """
clocks: [{id: c, clause: "1", starts: registered, stops: handled, owner: chief, due: [{within: 38h}]}]
"""
ROUTE, ASSIGN = "09 09:10 route boss department=works", "09 09:20 assign boss person=li"


def run(*steps: str, procedure: str = PROCEDURE, until: str = "09 20:00") -> list[TimelineRow]:
    return run_steps(procedure, *steps, organisation=COMPANY, until=until)


def told(rows: list[TimelineRow]) -> list[tuple[str, str, list[str]]]:
    return [(row["at"].strftime("%H:%M"), row["about"], row["persons"]) for row in rows if row["event"] == "notification_requested"]


@pytest.mark.parametrize("role", ["complainant", "officer"])
def test_urge_and_supplement_come_from_the_complainant_or_from_whoever_takes_the_call(role: str) -> None:
    rows = run(f"09 10:00 urge {role}", f"09 10:05 supplement {role} text=more", f"09 10:10 rate {role} score=4 text=fine")
    assert event_lines(rows, "urged", "supplemented", "rated") == [
        f"09 10:00 urged {role}",
        f"09 10:05 supplemented {role}",
        f"09 10:10 rated {role}",
    ]


def test_clocks_go_on() -> None:
    rows = run("09 10:00 urge complainant", "09 10:05 supplement complainant text=more", until="12 00:00")
    assert event_lines(rows, "clock_paused", "clock_stopped", "clock_moved", "clock_breached") == ["10 23:00 clock_breached c.1"]


def test_supplement_is_told_at_once() -> None:
    rows = run("09 10:00 supplement complainant text=a", "09 10:01 supplement complainant text=b")
    assert told(rows) == [("10:00", "supplemented", ["zhao"]), ("10:01", "supplemented", ["zhao"])]


def test_urgings_are_told_once_an_hour_and_the_next_message_says_how_many_came() -> None:
    rows = run("09 10:00 urge complainant", "09 10:10 urge complainant", "09 10:20 urge complainant", "09 13:00 urge complainant")
    assert told(rows) == [("10:00", "urged", ["zhao"]), ("11:00", "urged", ["zhao"]), ("13:00", "urged", ["zhao"])]


def test_told_is_the_handler_else_the_head_else_the_role_of_the_next_clock() -> None:
    urge = "09 10:00 urge complainant"
    assert told(run(ROUTE, ASSIGN, urge))[-1][2] == ["li"]
    assert told(run(ROUTE, urge))[-1][2] == ["wang"]
    assert told(run(urge))[-1][2] == ["zhao"]


@pytest.mark.parametrize("request_", ["urge complainant", "supplement complainant text=more", "reopen complainant reason=again"])
def test_request_on_an_ended_case_goes_to_the_role_that_ended_it_which_decides(request_: str) -> None:
    rows = run(ROUTE, ASSIGN, "09 09:50 handle boss", "09 10:00 close boss", f"09 11:00 {request_}", "09 12:00 reopen boss")
    assert told(rows)[-1][2] == ["wang"]
    assert event_lines(rows, "reopened") == ["09 12:00 reopened boss"]


@pytest.mark.parametrize("request_", ["urge complainant", "supplement complainant text=more", "reopen complainant reason=again"])
def test_request_on_an_ended_case_reopens_it_where_the_procedure_says_so(request_: str) -> None:
    procedure = f'{PROCEDURE}\nafter_end: {{follows: reopen, clause: "7"}}'
    rows = run("09 09:50 handle boss", "09 10:00 close boss", f"09 11:00 {request_}", procedure=procedure)
    [reopened] = [row for row in rows if row["event"] == "reopened"]
    assert reopened["at"].strftime("%H:%M") == "11:00"


def test_rate_needs_a_score_of_zero_or_more() -> None:
    rows = run("09 10:00 rate complainant text=fine", "09 11:00 rate complainant score=0")
    assert event_lines(rows, "rated", "action_refused") == ["09 10:00 action_refused rate", "09 11:00 rated complainant"]


def test_supplement_is_read_by_triage_again() -> None:
    procedure = (
        PROCEDURE
        + """
classes: [{id: grave, clause: "2", when: "complaint.text.contains('受伤')"}, {id: light, clause: "3"}]
"""
    )
    rows = run("09 10:00 supplement complainant text=有人受伤", procedure=procedure)
    assert event_lines(rows, "classified", "reclassified") == ["09 09:00 classified light", "09 10:00 reclassified grave"]
