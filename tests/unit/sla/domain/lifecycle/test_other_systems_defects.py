"""Defects reported of other complaint systems, shown absent: comments that move deadlines, alarms and escalations that do not come."""

import pytest

from tests.unit.sla.timeline import event_lines, november_instant, requested_messages, run_steps

TWO_LIMITS = """
clocks:
- {id: first, clause: "1", starts: registered, stops: answered, owner: officer, due: [{within: 2h, do: [{notify: boss}]}]}
- {id: second, clause: "2", starts: registered, stops: closed, owner: officer, due: [{within: 6h, do: [{notify: boss}]}]}
"""
LADDER = """
clocks:
- {id: c, clause: "1", starts: registered, stops: handled, owner: officer, due: [{within: 1h, do: [{escalate: up}]}]}
ladders: [{id: up, clause: "2", rungs: [officer, boss, chief], every: 1h}]
"""
PAUSED = """
clocks:
- {id: c, clause: "1", starts: registered, stops: closed, owner: officer, pauses: suspended, resumes: resumed, due: [{within: 10h}]}
"""


@pytest.mark.parametrize(
    "comment",
    [
        "09 10:00 report_progress officer text=working",
        "09 10:00 supplement complainant text=more",
        "09 10:00 urge complainant text=please",
        '09 10:00 amend boss fields={"title":"other"}',
    ],
)
def test_comment_moves_no_deadline(comment: str) -> None:
    silent = run_steps(TWO_LIMITS, until="10 00:00")
    commented = run_steps(TWO_LIMITS, comment, "09 10:30 " + comment[9:], until="10 00:00")
    assert event_lines(commented, "clock_breached") == event_lines(silent, "clock_breached")
    assert [row["due_at"] for row in commented if row["event"] == "clock_breached"] == [
        row["due_at"] for row in silent if row["event"] == "clock_breached"
    ]


def test_two_breaches_on_one_day_are_both_notified() -> None:
    messages = requested_messages(TWO_LIMITS, until="10 00:00")
    assert [(message["recipients"], message["clause"]) for message in messages] == [(["boss"], "1"), (["boss"], "2")]


@pytest.mark.parametrize("handler", ["", "ou"])
def test_case_escalates_without_a_handler_and_with_one_who_has_no_superior(handler: str) -> None:
    organisation = {"people": [{"id": "ou", "roles": ["officer"]}, {"id": "chen", "roles": ["chief"]}]}
    steps = [f"09 09:10 assign chief person={handler}"] if handler else []
    rows = run_steps(LADDER, *steps, until="10 00:00", organisation=organisation)
    assert event_lines(rows, "escalated") == ["09 10:00 escalated officer", "09 11:00 escalated chief"]


def test_pause_is_kept_when_an_amendment_plans_the_clocks_again() -> None:
    steps = ("09 10:00 suspend boss reason=x", '09 12:00 amend boss facts={"urgent":true}', "09 14:00 resume boss")
    rows = run_steps(f"facts: {{urgent: {{type: bool}}}}\n{PAUSED}", *steps, until="10 23:00")
    [breach] = [row for row in rows if row["event"] == "clock_breached"]
    assert breach["due_at"].isoformat() == november_instant("09 23:00")
