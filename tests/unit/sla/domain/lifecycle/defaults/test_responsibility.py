"""Objection, ruling, return, forced assignment and first-asked ownership; the complainant's clocks go on through all of it."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.sla.timeline import TimelineRow, run_steps

CLOCKS = """
most_returns: 2
clocks:
  - {id: answer, clause: "1", starts: registered, stops: first_answered, owner: officer, due: [{within: 2wd}]}
  - {id: close, clause: "2", starts: accepted, stops: closed, owner: officer, due: [{within: 5d}]}
  - {id: visit, clause: "3", starts: registered, stops: contacted, owner: officer, due: [{within: 30h}]}
ownership: [{clause: "5", first_asked: true}]
"""
RESPONSIBILITY = [
    *("route officer department=works", "route boss department=gardens", "reassign boss department=desk", "return officer reason=ours_not"),
    *("object officer text=not_ours", "rule boss text=works_answers", "assign boss person=li", "assign boss role=officer"),
    *("hand_over officer to=boss", "take_over boss", "take_over chief", "reassign boss department=works cooperating=[gardens,desk]"),
]


def timeline(steps: Sequence[str]) -> list[TimelineRow]:
    fixed = ["09 09:30 accept officer", "09 09:40 route officer department=works"]
    moves = [f"09 {10 + number // 6:02}:{number % 6}5 {step}" for number, step in enumerate(steps)]
    return run_steps(CLOCKS, *fixed, *moves, "13 09:00 answer officer text=done", until="20 00:00")


def clock_lines(rows: Sequence[TimelineRow]) -> list[tuple[object, ...]]:
    names = ("clock_started", "clock_breached", "clock_stopped", "clock_paused", "clock_moved", "clock_cancelled", "clock_resumed")
    return [(row["at"], row["event"], row["clock"], row.get("due_at")) for row in rows if row["event"] in names]


UNMOVED = clock_lines(timeline([]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(RESPONSIBILITY), min_size=1, max_size=24))
def test_clocks_of_the_complainant_go_on_whoever_is_responsible(steps: list[str]) -> None:
    assert clock_lines(timeline(steps)) == UNMOVED


def test_the_limits_are_missed_at_their_instants() -> None:
    breached = [(line[2], str(line[0])[:16]) for line in UNMOVED if line[1] == "clock_breached"]
    assert breached == [("visit", "2026-11-10 15:00"), ("answer", "2026-11-11 18:00"), ("close", "2026-11-17 00:00")]


def test_who_worked_on_a_case_goes_with_the_department_that_returns_it() -> None:
    free = "case.handler == '' && size(case.cooperating) == 0"
    procedure = f"""
reactions:
  - {{id: held, clause: "1", "on": assigned, when: "!({free})", do: [{{deem: verified}}]}}
  - {{id: free, clause: "2", "on": returned, when: "{free}", do: [{{deem: evaluated}}]}}
"""
    rows = run_steps(
        procedure,
        *(
            "09 10:00 route officer department=works cooperating=[gardens]",
            "09 11:00 assign boss person=li",
            "09 12:00 return officer reason=a",
        ),
        until="10 00:00",
    )
    assert [row["event"] for row in rows if row["event"] in ("verified", "evaluated")] == ["verified", "evaluated"]


def test_forced_assignment_after_the_last_return() -> None:
    steps = ["return officer reason=a", "route boss department=works", "return officer reason=b", "object officer text=c"]
    steps += ["rule boss text=works", "route boss department=works", "return officer reason=d"]
    rows = timeline(steps)
    last = [row for row in rows if row["event"] in ("returned", "objected", "ruled", "routed", "reassigned", "action_refused")]
    assert [row["event"] for row in last] == ["routed", "returned", "routed", "returned", "objected", "ruled", "routed", "action_refused"]
    assert last[-1]["reason"].startswith("the case has been returned 2 times already; object, and have it ruled")


def test_objections_are_bounded_where_the_procedure_says_so() -> None:
    procedure = CLOCKS + 'actions: {object: {at_most: 1, clause: "4.2"}}\n'
    rows = run_steps(
        procedure, "09 10:00 object officer text=a", "09 10:05 rule boss text=b", "09 10:10 object officer text=c", until="10 00:00"
    )
    refused = [row for row in rows if row["event"] == "action_refused"]
    assert [(row["action"], row["clause"]) for row in refused] == [("object", "4.2")]


@pytest.mark.parametrize(("cooperating", "kept"), [("[gardens,desk]", ["gardens", "desk"]), ("[]", [])])
def test_one_lead_and_any_number_of_cooperating_departments(cooperating: str, kept: list[str]) -> None:
    rows = timeline([f"reassign boss department=desk cooperating={cooperating}"])
    [moved] = [row for row in rows if row["event"] == "reassigned"]
    assert (moved["department"], moved.get("cooperating", [])) == ("desk", kept)
