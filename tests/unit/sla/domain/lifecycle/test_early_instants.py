"""No clock ends before it starts, and an extension until an instant never shortens: refused by the action (time.md)."""

from __future__ import annotations

import pytest

from tests.unit.sla.timeline import event_lines, november_instant, run_steps

FACTS = "facts: {limit: {type: instant}, agreed_date: {type: instant}}\n"


def clock(entries: str) -> str:
    return f'{FACTS}actions: {{grant_extension: {{unasked: true}}}}\nclocks:\n- {{id: c, clause: "1", owner: officer, {entries}}}\n'


EXTENDED = clock("starts: registered, due: [{within: 3wd}]")


def refusal(text: str, *steps: str) -> str:
    rows = run_steps(text, *steps)
    (reason,) = [row["reason"] for row in rows if row["event"] == "action_refused"]
    return str(reason)


def extensions(*instants: str) -> list[str]:
    """Two grants, at 10:00 and at 11:00 of the 10th."""
    return [f"10 1{number}:00 grant_extension boss clock=c until={november_instant(until)}" for number, until in enumerate(instants)]


@pytest.mark.parametrize("action", ["request_extension", "grant_extension"])
@pytest.mark.parametrize(
    ("until", "reason"),
    [
        ("08 12:00", "until lies before the start of the clock c; give an instant after it"),
        ("12 17:59", "until lies before the present due instant of the clock c; an extension gives a later one"),
    ],
)
def test_until_before_the_start_or_the_due_instant_is_refused(action: str, until: str, reason: str) -> None:
    assert refusal(EXTENDED, f"10 10:00 {action} boss clock=c reason=x until={november_instant(until)}") == reason


def test_until_at_or_after_the_due_instant_is_granted() -> None:
    steps = [
        f"10 1{number}:00 grant_extension boss clock=c until={november_instant(at)}" for number, at in enumerate(("12 18:00", "13 09:00"))
    ]
    rows = run_steps(EXTENDED, *steps)
    assert event_lines(rows, "action_refused", "clock_breached") == ["13 09:00 clock_breached c.1"]


def test_until_before_an_extended_due_instant_is_refused() -> None:
    steps = [
        f"10 1{number}:00 grant_extension boss clock=c until={november_instant(at)}" for number, at in enumerate(("16 18:00", "13 09:00"))
    ]
    rows = run_steps(EXTENDED, *steps)
    assert event_lines(rows, "action_refused", "clock_breached") == [
        "10 11:00 action_refused grant_extension 1",
        "16 18:00 clock_breached c.1",
    ]


@pytest.mark.parametrize("step", ["agree_date officer date", "answer officer text=soon next_date"])
def test_agreed_date_before_the_start_of_a_clock_is_refused(step: str) -> None:
    text = clock("starts: signed, due: [{within: 3wd, or_agreed: true}]")
    name = step.rsplit(" ", 1)[1]
    reason = refusal(text, "09 10:00 sign boss", f"09 11:00 {step}={november_instant('09 09:59')}")
    assert reason == f"{name} lies before the start of the clock c; give a date after it"


def test_fact_that_dates_a_clock_before_its_start_is_refused() -> None:
    text = clock("starts: signed, due: [{within: {date: limit}}]")
    limit = f'{{"limit":"{november_instant("09 09:59")}"}}'
    reason = refusal(text, "09 10:00 sign boss", f"09 11:00 amend officer facts={limit}")
    assert reason == "facts.limit lies before the start of the clock c; give a date after it"


def test_date_before_a_later_round_counts_as_absent_there() -> None:
    text = clock("starts: registered, restarts: measures_rejected, due: [{within: {date: limit}}]")
    rows = run_steps(text, "10 10:00 submit_measures officer text=x", "13 10:00 reject boss", facts={"limit": november_instant("12 12:00")})
    assert event_lines(rows, "clock_breached") == ["12 12:00 clock_breached c.1"]
    agreed = clock("starts: registered, restarts: measures_rejected, due: [{within: 5wd, or_agreed: true}]")
    agree = f"09 10:00 agree_date officer date={november_instant('12 12:00')}"
    rows = run_steps(agreed, agree, "10 10:00 submit_measures officer text=x", "13 10:00 reject boss", until="28 00:00")
    assert event_lines(rows, "clock_breached") == ["12 12:00 clock_breached c.1", "20 18:00 clock_breached c.2"]


def test_fact_that_lets_a_clock_run_before_its_start_is_refused() -> None:
    text = clock("""when: "facts.limit > timestamp('1970-01-02T00:00:00Z')", starts: signed, due: [{within: {date: limit}}]""")
    early, late = (f'{{"limit":"{november_instant(at)}"}}' for at in ("09 09:59", "09 10:30"))
    rows = run_steps(text, "09 10:00 sign boss", f"09 11:00 amend officer facts={early}", f"09 12:00 amend officer facts={late}")
    (refused,) = [row["reason"] for row in rows if row["event"] == "action_refused"]
    assert refused == "facts.limit lies before the start of the clock c; give a date after it"
    assert event_lines(rows, "clock_breached") == ["09 10:30 clock_breached c.1"]
