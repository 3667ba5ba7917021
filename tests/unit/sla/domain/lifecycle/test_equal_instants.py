"""The order at equal instants (time.md), and clocks that count from before the registration."""

import pytest

from tests.unit.sla.timeline import event_lines, run_steps

LIMIT = """
clocks:
- {id: c, clause: "1", starts: registered, stops: handled, cancels: ruled, restarts: measures_rejected, pauses: suspended, resumes: resumed,
   owner: officer, due: [{within: 2h}]}
"""
DEEMED = """
clocks:
- {id: c, clause: "1", starts: registered, stops: [measures_approved, measures_rejected], owner: boss,
   due: [{within: 1h}, {within: 2h, clause: "2", do: [{deem: measures_deemed_approved}]}]}
"""
SUBMITTED = "09 09:00 submit_measures officer"
SHOWN = (
    "clock_breached",
    "clock_stopped",
    "clock_cancelled",
    "clock_paused",
    "measures_deemed_approved",
    "measures_approved",
    "action_refused",
)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("09 11:00 handle officer", ["09 11:00 clock_stopped c.1"]),
        ("09 11:00:01 handle officer", ["09 11:00 clock_breached c.1", "09 11:00:01 clock_stopped c.1"]),
        ("09 11:00 rule chief", ["09 11:00 clock_cancelled c.1"]),
        ("09 11:00 withdraw complainant", ["09 11:00 clock_cancelled c.1"]),
        ("09 11:00 suspend officer", ["09 11:00 clock_breached c.1", "09 11:00 clock_paused c.1"]),
        ("09 10:59:59 suspend officer", ["09 10:59:59 clock_paused c.1"]),
        ("09 11:00 reject boss", ["09 11:00 clock_breached c.1", "09 11:00 clock_cancelled c.1", "09 13:00 clock_breached c.2"]),
        ("09 10:00 reject boss", ["09 10:00 clock_cancelled c.1", "09 12:00 clock_breached c.2"]),
    ],
)
def test_stops_and_cancels_come_before_due_items_pauses_and_new_runs_after_them(step: str, expected: list[str]) -> None:
    assert event_lines(run_steps(LIMIT, SUBMITTED, step, until="09 14:00"), *SHOWN) == expected


def test_actions_at_one_instant_keep_their_order() -> None:
    rows = run_steps(LIMIT, SUBMITTED, "09 10:00 reject boss", "09 10:00 handle officer", until="09 14:00")
    assert event_lines(rows, *SHOWN) == ["09 10:00 clock_cancelled c.1", "09 10:00 clock_stopped c.2"]


def test_decision_at_the_due_instant_comes_before_the_deemed_one() -> None:
    rows = run_steps(DEEMED, SUBMITTED, "09 11:00 approve boss", until="10 00:00")
    assert event_lines(rows, *SHOWN) == ["09 10:00 clock_breached c.1", "09 11:00 measures_approved boss", "09 11:00 clock_stopped c.1"]


def test_decision_after_a_deemed_one_is_refused_as_late_and_names_the_deemed_event() -> None:
    rows = run_steps(DEEMED, SUBMITTED, "09 11:00:01 approve boss", "09 12:00 reject boss", until="10 00:00")
    refusals = [row for row in rows if row["event"] == "action_refused"]
    assert [(row["action"], row["late"], row["clause"]) for row in refusals] == [("approve", True, "1"), ("reject", True, "1")]
    assert all("measures_deemed_approved" in row["reason"] for row in refusals)
    assert event_lines(rows, "measures_deemed_approved", "measures_approved") == ["09 11:00 measures_deemed_approved c.1"]


def test_late_decision_is_accepted_where_the_clock_accepts_it() -> None:
    rows = run_steps(DEEMED.replace("owner: boss", "owner: boss, late: accept"), SUBMITTED, "09 11:00:01 approve boss", until="10 00:00")
    assert event_lines(rows, "measures_approved", "action_refused") == ["09 11:00:01 measures_approved boss"]


def test_clocks_count_from_the_receipt_and_a_breach_before_the_registration_has_late_by() -> None:
    rows = run_steps(LIMIT, until="10 00:00", registered_at="2026-11-09T12:00:00+08:00")
    assert event_lines(rows, "registered", "clock_breached") == ["09 11:00 clock_breached c.1", "09 12:00 registered"]
    assert [row["late_by"] for row in rows if row["event"] == "clock_breached"] == [3600.0]


def test_instants_compare_regardless_of_their_offsets() -> None:
    rows = run_steps(LIMIT, until="10 00:00", received_at="2026-11-09T01:00:00Z")
    assert event_lines(rows, "clock_breached") == ["09 11:00 clock_breached c.1"]
