"""*Nothing ends by itself* (regulations.md, point 1)."""

import pytest

from tests.unit.sla.timeline import TimelineRow, run_steps

SILENT = "clocks: []"
ASKS_FOR_CALL_BACK = """
clocks: []
ownership: [{role: boss, clause: "9"}]
closing: [{when: "count.handled > 0", call_back: {}, clause: "7", reason: call back first}]
"""
SATISFIED_ONLY = """
parameters: {tries: {type: int, default: 2, clause: "9"}}
clocks: []
closing: [{call_back: {outcomes: [satisfied], unreached_days: {parameter: tries}, closes: chief}, clause: "7"}]
"""
NEVER_UNREACHED = """
clocks: []
ownership: [{role: boss, clause: "9"}]
closing: [{call_back: {unreached_days: 0}, clause: "7"}]
"""
WAIVED = """
clocks: []
actions:
  close: {waives: [close_needs_handling, dissatisfied_goes_on], requires: "facts.settled", clause: "4"}
  refuse: {waives: [refuse_decides_acceptance], clause: "5"}
facts: {settled: {type: bool, default: true}}
"""


def last(*steps: str, procedure: str = SILENT) -> TimelineRow:
    """The last step's event, which is a refusal or what the action became."""
    return run_steps(procedure, *steps, until="20 00:00")[-1]


def outcome(*steps: str, procedure: str = SILENT) -> tuple[str, str, str]:
    """The last step's event with its rule and clause, where it is a refusal."""
    row = last(*steps, procedure=procedure)
    return (row["event"], row.get("rule", ""), row.get("clause", "")) if row["event"] == "action_refused" else (row["event"], "", "")


CLOSED = ("closed", "", "")


def refused(rule: str, clause: str = "") -> tuple[str, str, str]:
    return ("action_refused", rule, clause)


def test_case_in_which_nothing_was_done_is_not_closed() -> None:
    assert outcome("09 10:00 close boss") == refused("close_needs_handling")
    assert outcome("09 10:00 contact officer", "09 11:00 close boss") == refused("close_needs_handling")


def test_handling_or_an_answer_alone_lets_a_case_close() -> None:
    assert outcome("09 10:00 handle officer", "09 11:00 close boss") == CLOSED
    assert outcome("09 10:00 answer officer", "09 11:00 close boss") == CLOSED


@pytest.mark.parametrize("begun", ["submit_measures officer", "start_work officer"])
def test_answer_does_not_end_what_was_begun(begun: str) -> None:
    answered = (f"09 09:30 {begun}", "09 10:00 answer officer")
    assert outcome(*answered, "09 11:00 close boss") == refused("close_needs_handling")
    assert outcome(*answered, "09 10:30 handle officer", "09 11:00 close boss") == CLOSED


def test_reopened_case_is_handled_or_answered_again() -> None:
    steps = ("09 10:00 handle officer", "09 10:30 answer officer", "09 11:00 close boss", "09 12:00 reopen boss")
    assert outcome(*steps, "09 13:00 close boss") == refused("close_needs_handling")
    assert outcome(*steps, "09 12:30 answer officer", "09 13:00 close boss") == CLOSED


def test_refusal_names_the_remedy() -> None:
    assert "handle it, or answer the complainant, first" in last("09 10:00 close boss")["reason"]
    assert "call back" in last("09 10:00 close boss", procedure=NEVER_UNREACHED)["reason"]


def test_dissatisfied_complainant_is_called_back_before_the_case_closes() -> None:
    steps = ("09 10:00 handle officer", "09 10:30 call_back officer outcome=dissatisfied")
    assert outcome(*steps, "09 11:00 close boss") == refused("dissatisfied_goes_on")
    again = (*steps, "09 11:00 handle officer")
    assert outcome(*again, "09 12:00 close boss") == refused("dissatisfied_goes_on")
    assert outcome(*again, "09 11:30 call_back officer outcome=understood", "09 12:00 close boss") == CLOSED


def test_call_back_that_reaches_nobody_makes_nobody_content() -> None:
    steps = ("09 10:00 handle officer", "09 10:30 call_back officer outcome=dissatisfied", "09 10:40 call_back officer outcome=unreachable")
    assert outcome(*steps, "09 11:00 close boss") == refused("dissatisfied_goes_on")


def test_call_back_comes_after_the_latest_handling() -> None:
    early = ("09 10:00 call_back officer outcome=satisfied", "09 11:00 handle officer")
    assert outcome(*early, "09 12:00 close boss", procedure=ASKS_FOR_CALL_BACK) == refused("close", "7")
    called = (*early, "09 12:00 call_back officer outcome=satisfied")
    assert outcome(*called, "09 13:00 close boss", procedure=ASKS_FOR_CALL_BACK) == CLOSED
    assert outcome(*called, "09 12:30 handle officer", "09 13:00 close boss", procedure=ASKS_FOR_CALL_BACK) == refused("close", "7")
    assert outcome("09 11:00 answer officer", "09 12:00 close boss", procedure=ASKS_FOR_CALL_BACK) == CLOSED


def unreached(*days: str) -> tuple[str, ...]:
    return ("09 10:00 handle officer", *(f"{day} 16:00 call_back officer outcome=unreachable" for day in days))


@pytest.mark.parametrize(
    ("days", "closes"),
    [
        (("09", "10"), False),
        (("09", "09", "09"), False),
        (("12", "13", "14", "15"), False),  # Thursday and Friday, then the weekend
        (("12", "13", "14", "16"), True),
        (("09", "10", "11"), True),
    ],
)
def test_head_of_the_unit_closes_after_three_working_days_on_which_nobody_was_reached(days: tuple[str, ...], closes: bool) -> None:
    expected = CLOSED if closes else refused("close", "7")
    assert outcome(*unreached(*days), "17 10:00 close boss", procedure=ASKS_FOR_CALL_BACK) == expected


def test_only_the_head_closes_and_a_new_handling_is_called_back_anew() -> None:
    tries = unreached("09", "10", "11")
    assert outcome(*tries, "12 10:00 close officer", procedure=ASKS_FOR_CALL_BACK) == refused("close", "7")
    assert outcome(*tries, "12 09:00 handle officer", "12 10:00 close boss", procedure=ASKS_FOR_CALL_BACK) == refused("close", "7")


def test_dissatisfied_before_and_then_not_reached_is_closed_by_the_head() -> None:
    tries = ("09 09:30 handle officer", "09 09:40 call_back officer outcome=dissatisfied", *unreached("09", "10", "11"))
    assert outcome(*tries, "12 10:00 close boss", procedure=ASKS_FOR_CALL_BACK) == CLOSED
    assert outcome(*tries, "12 10:00 close officer", procedure="clocks: []\nownership: [{role: boss, clause: '9'}]") == refused(
        "dissatisfied_goes_on"
    )


def test_procedure_says_outcomes_days_and_who_closes() -> None:
    understood = ("09 10:00 handle officer", "09 11:00 call_back officer outcome=understood")
    assert outcome(*understood, "09 12:00 close chief", procedure=SATISFIED_ONLY) == refused("close", "7")
    assert outcome(*unreached("09", "10"), "11 10:00 close boss", procedure=SATISFIED_ONLY) == refused("close", "7")
    assert outcome(*unreached("09", "10"), "11 10:00 close chief", procedure=SATISFIED_ONLY) == CLOSED
    assert outcome(*unreached("09", "10", "11", "12"), "13 10:00 close boss", procedure=NEVER_UNREACHED) == refused("close", "7")


@pytest.mark.parametrize("done", ["accept boss", "approve boss", "handle boss"])
def test_refusal_decides_on_acceptance(done: str) -> None:
    steps = ("09 09:30 submit_measures officer", f"09 10:00 {done}", "09 11:00 refuse boss reason=unfounded")
    assert outcome(*steps) == refused("refuse_decides_acceptance")
    assert outcome(*steps, procedure=WAIVED) == ("refused", "", "")


def test_refusal_before_acceptance_is_accepted() -> None:
    assert outcome("09 10:00 answer boss", "09 11:00 refuse boss reason=unfounded") == ("refused", "", "")


def test_procedure_sets_a_default_aside_with_its_clause() -> None:
    assert outcome("09 10:00 close boss", procedure=WAIVED) == CLOSED
    dissatisfied = ("09 10:00 handle officer", "09 10:30 call_back officer outcome=dissatisfied", "09 11:00 close boss")
    assert outcome(*dissatisfied, procedure=WAIVED) == CLOSED


@pytest.mark.parametrize("key", ["waives: [close_needs_handling]", "decides_on: [reported]"])
def test_default_is_not_set_aside_without_a_clause(key: str) -> None:
    with pytest.raises(ValueError, match="add clause with the id of the clause that says so"):
        run_steps(f"clocks: []\nactions: {{close: {{{key}}}}}")


@pytest.mark.parametrize(
    ("procedure", "score", "closes"), [(SILENT, 59, False), (SILENT, 60, True), (f"satisfied_from: 80\n{SILENT}", 79, False)]
)
def test_who_rates_badly_is_not_content(procedure: str, score: int, *, closes: bool) -> None:
    rated = ("09 10:00 handle officer", f"09 10:30 rate complainant score={score}")
    expected = CLOSED if closes else refused("dissatisfied_goes_on")
    assert outcome(*rated, "09 11:00 close boss", procedure=procedure) == expected
    assert outcome(*rated, "09 10:40 rate complainant score=100", "09 11:00 close boss", procedure=procedure) == CLOSED


def test_a_good_rating_is_no_call_back_where_the_regulation_asks_for_one() -> None:
    rated = ("09 10:00 handle officer", "09 10:30 rate complainant score=100")
    assert outcome(*rated, "09 11:00 close boss", procedure=ASKS_FOR_CALL_BACK)[2] == "7"
