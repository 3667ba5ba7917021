"""*One decision for one submission* (vocabulary.md)."""

import pytest

from tests.unit.sla.timeline import TimelineRow, run_steps

PROCEDURE = """
clocks:
- {id: limit, clause: "1", starts: registered, stops: handled, owner: officer, due: [{within: 10d}]}
- {id: opinion, clause: "2", starts: measures_submitted, stops: measures_approved, owner: boss, when: facts.deemed, due: [{within: 1h, do: [{deem: measures_deemed_approved}]}]}
facts: {deemed: {type: bool, default: false}, own: {type: bool, default: false}}
actions:
  start_work: {requires: case.approved, clause: "3"}
  submit_measures: {needs_sign_off: "event.role == 'officer'", clause: "4"}
"""  # noqa: E501
OVERRIDES = """
clocks: [{id: limit, clause: "1", starts: registered, stops: handled, owner: officer, due: [{within: 10d}]}]
actions:
  approve: {each_role: true, by: [boss, chief], clause: "5"}
  grant_extension: {unasked: true, clause: "6"}
"""


def outcomes(*actions: str, procedure: str = PROCEDURE, facts: dict[str, bool] | None = None) -> list[str]:
    """The event of each action; the actions are ten minutes apart, from 10:00 on."""
    steps = [f"09 {10 + number // 6}:{number % 6}0 {action}" for number, action in enumerate(actions)]
    rows = run_steps(procedure, *steps, facts=facts or {})
    return [event_of(rows, step) for step in steps]


def event_of(rows: list[TimelineRow], step: str) -> str:
    day_and_time = step[:8]
    role = step.split(" ")[3]
    return next(str(row["event"]) for row in rows if row["at"].strftime("%d %H:%M") == day_and_time and row.get("role") == role)


@pytest.mark.parametrize(
    "decision", ["approve boss", "approve_with_demands boss demands=more", "reject boss", "review boss", "review boss passed=false"]
)
def test_a_decision_without_a_submission_that_awaits_it_is_refused(decision: str) -> None:
    assert outcomes(decision) == ["action_refused"]


@pytest.mark.parametrize("again", ["approve boss", "reject boss", "approve_with_demands chief demands=more"])
@pytest.mark.parametrize(("first", "event"), [("approve boss", "measures_approved"), ("reject boss", "measures_rejected")])
def test_approval_decides_once_on_the_latest_measures(first: str, event: str, again: str) -> None:
    assert outcomes("submit_measures boss", first, again) == ["measures_submitted", event, "action_refused"]


def test_review_decides_once_on_the_latest_measures() -> None:
    assert outcomes("submit_measures boss", "review boss passed=false", "review boss", "request_review officer", "review boss") == [
        "measures_submitted",
        "review_rejected",
        "action_refused",
        "review_requested",
        "action_refused",
    ]


def test_review_without_measures_decides_once_on_its_request() -> None:
    assert outcomes("request_review officer", "review boss", "review boss") == ["review_requested", "review_passed", "action_refused"]


def test_refusal_names_the_decision_that_was_taken() -> None:
    rows = run_steps(PROCEDURE, "09 10:00 submit_measures boss", "09 11:00 reject boss", "09 12:00 approve boss")
    [refused] = [row for row in rows if row["event"] == "action_refused"]
    assert (refused["rule"], "measures_rejected" in refused["reason"]) == ("one_decision", True)


def test_decision_is_refused_after_a_deemed_one() -> None:
    rows = run_steps(PROCEDURE, "09 10:00 submit_measures boss", "09 12:00 reject boss", facts={"deemed": True})
    [refused] = [row for row in rows if row["event"] == "action_refused"]
    assert "measures_deemed_approved" in refused["reason"]


def test_new_measures_replace_those_before_and_need_approval_and_review_again() -> None:
    first = ("submit_measures boss", "approve boss", "review boss", "start_work officer")
    assert outcomes(*first, "submit_measures boss", "start_work officer", "approve boss", "review boss", "start_work officer") == [
        *("measures_submitted", "measures_approved", "review_passed", "work_started"),
        *("measures_submitted", "action_refused", "measures_approved", "review_passed", "work_started"),
    ]


def test_new_measures_need_no_approval_after_a_deemed_approval_that_gives_full_authority() -> None:
    waiting = ("sign officer",) * 7
    steps = ("submit_measures boss", *waiting, "submit_measures boss", "start_work officer", "approve boss")
    assert outcomes(*steps, facts={"deemed": True})[-3:] == ["measures_submitted", "work_started", "action_refused"]


def test_measures_await_their_sign_off_before_a_decision() -> None:
    assert outcomes("submit_measures officer", "approve boss", "sign_off boss", "approve boss") == [
        "measures_submitted",
        "action_refused",
        "measures_signed_off",
        "measures_approved",
    ]


def test_extension_is_granted_or_refused_once_on_a_request() -> None:
    request, grant, refuse = (
        "request_extension officer clock=limit",
        "grant_extension boss clock=limit by=2d",
        "refuse_extension boss clock='1'",
    )
    assert outcomes(request, grant, refuse) == ["extension_requested", "extension_granted", "action_refused"]
    assert outcomes(request, refuse, grant, request, grant) == [
        "extension_requested",
        "extension_refused",
        "action_refused",
        "extension_requested",
        "extension_granted",
    ]


def test_extension_that_nobody_asked_for_is_granted_only_where_the_pack_says_so() -> None:
    grant = "grant_extension boss clock=limit by=2d"
    assert outcomes(grant) == ["action_refused"]
    assert outcomes(grant, procedure=OVERRIDES) == ["extension_granted"]


def test_several_roles_decide_one_after_the_other_where_the_pack_says_so() -> None:
    assert outcomes("approve boss", "submit_measures officer", "approve boss", "approve chief", "approve boss", procedure=OVERRIDES) == [
        "action_refused",
        "measures_submitted",
        "measures_approved",
        "measures_approved",
        "action_refused",
    ]


def test_nothing_awaits_a_decision_after_reopening() -> None:
    assert (
        outcomes("submit_measures boss", "approve boss", "handle boss", "close boss", "reopen boss", "approve boss")[-1] == "action_refused"
    )
