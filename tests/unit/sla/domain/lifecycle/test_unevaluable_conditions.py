"""A condition that cannot be evaluated on one case: its entry does not apply, and the case goes on."""

from dataclasses import replace
from typing import Any

import pytest

from services.sla.domain.lifecycle.decide import decide
from services.sla.domain.lifecycle.inputs import TakeAction
from tests.unit.sla.timeline import TimelineRow, november_micros, run_steps, small_opening, small_rulebook

OVERFLOW = "facts.persons * 9223372036854775807 > 0"
"""True for one person; for more the product is no 64-bit integer."""
FACTS = "facts: {persons: {type: int, default: 1}}\n"
MANY = '09 10:00 amend boss facts={"persons":3}'


def lines(rows: list[TimelineRow], *event_types: str) -> list[str]:
    return [f"{row['at'].strftime('%d %H:%M')} {row['event']}" for row in rows if row["event"] in event_types]


@pytest.mark.parametrize("place", ["clock", "step"])
def test_running_deadline_stays_when_its_guard_can_no_longer_be_evaluated(place: str) -> None:
    guards = {"clock": "", "step": "", place: f', when: "{OVERFLOW}"'}
    clocks = (
        f"clocks: [{{id: work, starts: registered, stops: handled, due: [{{within: 1d, do: [breach]{guards['step']}}}]{guards['clock']}}}]"
    )
    rows = run_steps(f"{FACTS}{clocks}", MANY, until="12 00:00")
    assert lines(rows, "clock_cancelled", "clock_breached") == ["11 00:00 clock_breached"]


def test_clock_whose_guard_cannot_be_evaluated_does_not_start_until_it_can() -> None:
    clocks = f'clocks: [{{id: work, starts: registered, stops: handled, due: [{{within: 1d, do: [breach]}}], when: "{OVERFLOW}"}}]'
    rows = run_steps(f"{FACTS}{clocks}", '09 11:00 amend boss facts={"persons":1}', until="12 00:00", facts={"persons": 3})
    assert lines(rows, "clock_started", "clock_breached") == ["09 11:00 clock_started", "11 00:00 clock_breached"]


def test_reaction_selector_reminder_and_effect_that_cannot_be_evaluated_do_not_apply() -> None:
    procedure = f"""
{FACTS}
clocks:
- {{id: work, starts: registered, stops: [{{event: handled, when: "{OVERFLOW}"}}], due: [{{within: 1d, do: [breach]}}],
   reminders: [{{before: 2h, do: [{{remind: officer}}], when: "{OVERFLOW}"}}]}}
reactions:
- {{id: whole, "on": amended, do: [{{notify: boss}}], when: "{OVERFLOW}"}}
- {{id: part, "on": amended, do: [{{notify: officer, when: "{OVERFLOW}"}}, {{notify: chief}}]}}
"""
    rows = run_steps(
        procedure, '09 12:00 amend boss fields={"place":"x"}', "10 09:00 handle officer", until="12 00:00", facts={"persons": 3}
    )
    told = [row["recipients"] for row in rows if row["event"] == "notification_requested"]
    assert told == [["chief"]]
    assert lines(rows, "reminded", "clock_stopped", "clock_breached") == ["11 00:00 clock_breached"]


@pytest.mark.parametrize("rule", [f'requires: "{OVERFLOW}"', f'when: "{OVERFLOW}", requires: "false"', f'by: boss, when: "{OVERFLOW}"'])
def test_rule_of_an_action_that_cannot_be_evaluated_refuses_it(rule: str) -> None:
    [refused] = [
        row
        for row in run_steps(f"{FACTS}closing: [{{{rule}}}]", "09 11:00 close officer", until="09 12:00", facts={"persons": 3})
        if row["event"] in ("action_refused", "closed")
    ]
    assert (refused["event"], refused["rule"]) == ("action_refused", "close")


def test_measures_need_a_sign_off_where_that_cannot_be_evaluated() -> None:
    rule = f'actions: {{submit_measures: {{needs_sign_off: "{OVERFLOW}"}}}}'
    rows = run_steps(f"{FACTS}{rule}", "09 11:00 submit_measures officer text=x", until="09 12:00", facts={"persons": 3})
    assert [row["needs_sign_off"] for row in rows if row["event"] == "measures_submitted"] == [True]


def test_decision_names_the_conditions_and_no_value() -> None:
    rulebook = small_rulebook(f'{FACTS}closing: [{{requires: "{OVERFLOW}"}}]')
    opened = decide(
        None,
        replace(small_opening(), registered={"number": "S-1"}, classified={"facts": {"persons": 3}}),
        rulebook,
        november_micros("09 09:00"),
    )
    action: dict[str, Any] = {"action": "close", "at": november_micros("09 10:00"), "role": "boss"}
    assert decide(opened.case, TakeAction(**action), rulebook, november_micros("09 10:00")).failed_conditions == (OVERFLOW,)
    assert opened.failed_conditions == ()
