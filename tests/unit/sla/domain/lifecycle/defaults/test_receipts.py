"""The receipt that counts is that of the unit responsible now."""

from __future__ import annotations

from tests.unit.sla.timeline import event_lines, run_steps

CLOCK = """
clocks:
- {id: c, clause: "1", owner: officer, starts: signed, restarts: signed, stops: handled, due: [{within: 3wd}]}
"""
ROUTED = '\nclocks:\n- {id: c, clause: "1", owner: officer, starts: routed, stops: handled, due: [{within: 2wd}]}\n'
TOLD = 'reactions: [{id: told, "on": routed, clause: "1", do: [{notify: officer}]}]\n'
FIRST = ("09 09:00 route boss department=a", "09 10:00 sign officer")


def breaches(text: str, *steps: str) -> list[str]:
    return event_lines(run_steps(text, *steps, until="30 00:00"), "clock_breached")


def test_signing_twice_postpones_nothing() -> None:
    again = ("10 09:00 sign officer", "12 09:00 sign officer")
    assert breaches(CLOCK, *FIRST, *again) == breaches(CLOCK, *FIRST) == ["12 18:00 clock_breached c.1"]


def test_signature_after_a_rejection_is_a_receipt_again() -> None:
    steps = (*FIRST, "09 11:00 submit_measures officer", "09 12:00 reject boss", "10 09:00 sign officer", "12 09:00 sign officer")
    assert breaches(CLOCK, *steps) == ["13 18:00 clock_breached c.2"]


def test_unit_that_takes_over_has_its_own_time_from_its_own_receipt() -> None:
    for moved in (("10 10:00 reassign boss department=b",), ("10 10:00 return officer reason=x", "11 09:00 route boss department=b")):
        assert breaches(CLOCK, *FIRST, *moved, "16 09:00 sign officer", "17 09:00 sign officer") == ["19 18:00 clock_breached c.2"]
        assert breaches(CLOCK, *FIRST, *moved) == []


def test_unit_that_gets_a_case_back_goes_on_with_what_it_had_left() -> None:
    steps = (*FIRST, "10 19:00 reassign boss department=b", "16 09:00 sign officer", "17 09:00 reassign boss department=a")
    # One of the three working days was used up before the change of unit.
    assert breaches(CLOCK, *steps, "17 10:00 sign officer") == ["18 18:00 clock_breached c.3"]


def test_clock_from_the_routing_begins_again_with_the_unit_that_takes_over() -> None:
    steps = ("09 09:00 route boss department=a", "10 19:00 reassign boss department=b")
    assert breaches(ROUTED, *steps) == ["12 18:00 clock_breached c.2"]
    back = (*steps, "11 09:00 reassign boss department=a")
    assert breaches(ROUTED, *back) == ["11 18:00 clock_breached c.3"]


def test_limit_that_was_met_stays_met() -> None:
    steps = (*FIRST, "09 11:00 handle officer", "10 10:00 reassign boss department=b", "11 09:00 sign officer")
    assert breaches('clocks:\n- {id: c, clause: "1", owner: officer, starts: signed, stops: handled, due: [{within: 3wd}]}\n', *steps) == []


def test_procedure_may_leave_its_clock_to_its_selectors() -> None:
    text = CLOCK.replace("due:", "limits: {own_time: false, clause: '1'}, due:")
    assert breaches(text, *FIRST, "10 09:00 sign officer") == ["13 18:00 clock_breached c.2"]


def test_unit_that_takes_over_hears_of_the_case_as_the_first_one_did() -> None:
    steps = ("09 09:00 route boss department=a", "10 09:00 reassign boss department=b")
    messages = event_lines(run_steps(TOLD, *steps, until="11 00:00"), "notification_requested")
    assert messages == ["09 09:00 notification_requested officer", "10 09:00 notification_requested officer"]
    only_first = TOLD.replace('"on": routed', '"on": routed, reassigned: false')
    assert len(event_lines(run_steps(only_first, *steps, until="11 00:00"), "notification_requested")) == 1
