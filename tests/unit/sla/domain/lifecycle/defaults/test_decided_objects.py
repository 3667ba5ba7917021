"""*Nothing is decided about nothing* (regulations.md, point 2)."""

import pytest

from tests.unit.sla.timeline import TimelineRow, run_steps

SILENT = "clocks: []"
APPROVED_FIRST = """
clocks: []
actions:
  start_work: {requires: case.approved, clause: "3", reason: no work before approval}
"""
NAMED_DECIDER = """
clocks: []
actions:
  approve: {by: [boss], clause: "5"}
"""
FINDINGS = """
clocks: []
actions:
  verify: {decides_on: [reported], clause: "6"}
"""
WAIVED = """
clocks: []
actions:
  start_work: {requires: case.approved, clause: "3"}
  handle: {waives: [carried_out_as_approved], clause: "8"}
  verify: {waives: [verify_needs_its_object], clause: "8"}
  approve: {by: [boss], clause: "5"}
"""
SUBMITTED, APPROVED = "09 09:10 submit_measures officer", "09 09:20 approve boss"


def last(*steps: str, procedure: str = SILENT) -> TimelineRow:
    """The last step's event."""
    return run_steps(procedure, *steps)[-1]


def test_verification_needs_what_was_handled() -> None:
    refused = last("09 10:00 verify boss")
    assert (refused["event"], refused["rule"], "it comes after handled" in refused["reason"]) == (
        "action_refused",
        "verify_needs_its_object",
        True,
    )
    assert last("09 10:00 verify boss passed=false")["event"] == "action_refused"
    assert last("09 10:00 handle boss", "09 11:00 verify boss")["event"] == "verified"


def test_verification_may_be_repeated_and_begins_anew_after_reopening() -> None:
    steps = ("09 10:00 handle boss", "09 11:00 verify boss passed=false", "09 12:00 verify boss")
    assert last(*steps)["event"] == "verified"
    assert last(*steps, "09 13:00 close boss", "09 14:00 reopen boss", "09 15:00 verify boss")["rule"] == "verify_needs_its_object"


def test_procedure_names_what_is_verified() -> None:
    assert last("09 10:00 report officer", "09 11:00 verify boss", procedure=FINDINGS)["event"] == "verified"
    assert last("09 10:00 handle officer", "09 11:00 verify boss", procedure=FINDINGS)["rule"] == "verify_needs_its_object"


@pytest.mark.parametrize(
    "before", [(), (SUBMITTED,), (SUBMITTED, "09 09:20 reject boss"), (SUBMITTED, APPROVED, "09 09:30 submit_measures officer")]
)
def test_what_may_not_be_started_is_not_handled(before: tuple[str, ...]) -> None:
    refused = last(*before, "09 10:00 handle officer", procedure=APPROVED_FIRST)
    assert (refused["event"], refused["rule"], refused["clause"], refused["reason"]) == (
        "action_refused",
        "carried_out_as_approved",
        "3",
        "no work before approval",
    )
    assert (
        last(*before, "09 09:40 submit_measures officer", "09 09:50 approve boss", "09 10:00 handle officer", procedure=APPROVED_FIRST)[
            "event"
        ]
        == "handled"
    )


@pytest.mark.parametrize("action", ["start_work", "handle"])
def test_measures_wait_for_those_who_the_procedure_says_decide(action: str) -> None:
    event = {"start_work": "work_started", "handle": "handled"}[action]
    step = f"09 10:00 {action} officer"
    assert last(SUBMITTED, step, procedure=NAMED_DECIDER)["rule"] == "carried_out_as_approved"
    assert last(SUBMITTED, APPROVED, step, procedure=NAMED_DECIDER)["event"] == event
    assert last(SUBMITTED, "09 09:20 review boss", step, procedure=NAMED_DECIDER)["event"] == event
    assert last(SUBMITTED, APPROVED, "09 09:30 submit_measures officer", step, procedure=NAMED_DECIDER)["event"] == "action_refused"
    assert last(step, procedure=NAMED_DECIDER)["event"] == event
    assert last(SUBMITTED, step)["event"] == event


def test_procedure_sets_a_default_aside_with_its_clause() -> None:
    assert last(SUBMITTED, "09 10:00 handle officer", procedure=WAIVED)["event"] == "handled"
    assert last("09 10:00 verify boss", procedure=WAIVED)["event"] == "verified"
