"""Every limit reaches a person: reminded before it, chased at it, the role above after it, until the clock ends."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sla.timeline import event_lines, run_steps

LINE: dict[str, Any] = {
    "line": {"officer": "boss", "boss": "chief"},
    "fallback": "f",
    "departments": [{"id": "d", "zh": "部", "en": "Unit"}, {"id": "e", "zh": "部", "en": "Unit"}],
    "people": [
        {"id": "o", "name": "O", "roles": ["officer"]},
        {"id": "b", "name": "B", "roles": ["boss"]},
        {"id": "c", "name": "C", "roles": ["chief"]},
        {"id": "f", "name": "F", "roles": []},
        {"id": "s", "name": "S", "roles": ["desk"]},
    ],
}
TOLD = ("reminded", "clock_breached", "escalated", "no_recipient", "notification_requested")


def clock(entries: str, limits: str = "{}") -> str:
    return f'limits: {limits}\nclocks:\n- {{id: c, clause: "1", owner: officer, starts: registered, stops: handled, {entries}}}\n'


def rows(text: str, *steps: str, until: str) -> list[dict[str, Any]]:
    return run_steps(text, *steps, until=until, organisation=LINE)


def told(text: str, *steps: str, until: str) -> list[str]:
    """Return the messages of one clock in order, as instant and recipient."""
    messages = [row for row in rows(text, *steps, until=until) if row["event"] == "notification_requested"]
    return [f"{row['at']:%d %H:%M} {','.join(row['recipients'])}" for row in messages]


def test_owner_is_reminded_and_chased_and_each_role_above_hears_a_working_day_later() -> None:
    text = clock("due: [{within: 1wd}]")
    assert told(text, until="16 00:00") == ["10 14:48 officer", "10 18:00 officer", "11 18:00 boss", "12 18:00 chief", "13 18:00 fallback"]


def test_default_events_name_the_default_and_carry_the_clause_of_the_clock() -> None:
    found = [row for row in rows(clock("due: [{within: 1wd}]"), until="16 00:00") if row["event"] in TOLD]
    assert {row["clause"] for row in found} == {"1"}
    assert [row["event"] for row in found if row["event"] != "notification_requested"] == [
        "reminded",
        "clock_breached",
        "escalated",
        "escalated",
        "no_recipient",
    ]
    assert {row["rule"] for row in found} == {"limit_reminder", "c", "limit_chase", "limit_escalation"}


def test_softened_limits_are_chased_too() -> None:
    text = clock("due: [{within: 1wd, do: [{breach: true, in_principle: true}]}]")
    assert told(text, until="11 20:00")[1:] == ["10 18:00 officer", "11 18:00 boss"]


@pytest.mark.parametrize(("within", "above"), [("2h", "09 13:00"), ("0.5wd", "09 18:00"), ("2wd", "12 18:00"), ("1wh", "09 11:00")])
def test_role_above_hears_after_the_same_time_again_where_the_limit_is_shorter(within: str, above: str) -> None:
    messages = told(clock(f"due: [{{within: {within}}}]"), until="13 00:00")
    assert f"{above} boss" in messages
    assert [message for message in messages if message.endswith("boss")] == [f"{above} boss"]


def test_all_ends_when_the_clock_stops() -> None:
    text = clock("due: [{within: 1wd}]")
    assert told(text, "11 19:00 handle officer", until="20 00:00") == ["10 14:48 officer", "10 18:00 officer", "11 18:00 boss"]
    assert told(text, "09 12:00 handle officer", until="20 00:00") == []
    assert told(text, "11 19:00 withdraw complainant", until="20 00:00") == ["10 14:48 officer", "10 18:00 officer", "11 18:00 boss"]


@pytest.mark.parametrize(
    ("entries", "messages"),
    [
        ("reminders: [{before: 2h, do: [{remind: boss}]}], due: [{within: 1wd}]", ["10 16:00 boss", "10 18:00 officer", "11 18:00 boss"]),
        ("due: [{within: 1wd, do: [breach, {notify: officer}]}]", ["10 14:48 officer", "10 18:00 officer", "11 18:00 boss"]),
        ("due: [{within: 1wd, do: [breach, {remind: owner}]}]", ["10 14:48 officer", "10 18:00 officer", "11 18:00 boss"]),
        ("due: [{within: 1wd, do: [breach, {notify: boss}]}]", ["10 14:48 officer", "10 18:00 officer", "10 18:00 boss"]),
        # Neither a unit beside the owner nor the one two steps up is the role above.
        ("due: [{within: 1wd, do: [breach, {notify: desk}]}]", ["10 14:48 officer", "10 18:00 officer", "10 18:00 desk", "11 18:00 boss"]),
        (
            "due: [{within: 1wd, do: [breach, {notify: chief}]}]",
            ["10 14:48 officer", "10 18:00 officer", "10 18:00 chief", "11 18:00 boss"],
        ),
        ("due: [{within: 1wd, do: [{notify: boss}]}]", ["10 18:00 boss"]),  # no limit, but a step of the procedure
    ],
)
def test_entry_of_the_procedure_takes_the_place_of_that_part(entries: str, messages: list[str]) -> None:
    assert told(clock(entries), until="12 00:00") == messages


def test_entry_with_a_condition_takes_the_place_only_while_it_holds() -> None:
    facts = "facts: {hot: {type: bool, default: false}}\n"
    text = facts + clock("due: [{within: 1wd, do: [breach, {notify: officer, by: [sms], when: facts.hot}]}]")
    for step, rule in (("09 10:00 urge boss", "limit_chase"), ('09 10:00 amend boss facts={"hot":true}', "c")):
        at_due = [row for row in rows(text, step, until="10 20:00") if row["event"] == "notification_requested" and row["at"].day == 10]
        assert [row["rule"] for row in at_due if row["at"].hour == 18] == [rule]


def test_values_are_those_of_the_procedure_and_of_the_clock() -> None:
    later = "{remind_at: 0.5, escalate_after: 2wd, clause: '1'}"
    assert told(clock("due: [{within: 1wd}]", later), until="13 00:00") == ["09 18:00 officer", "10 18:00 officer", "12 18:00 boss"]
    own = "due: [{within: 1wd}], limits: {escalate_after: null, clause: '1'}"
    assert told(clock(own, later), until="20 00:00") == ["09 18:00 officer", "10 18:00 officer"]


def test_extension_after_the_breach_puts_off_the_way_up() -> None:
    text = clock("due: [{within: 1wd}]") + 'actions: {grant_extension: {unasked: true, clause: "1"}}\n'
    steps = ("11 10:00 grant_extension boss clock=c by=2wd",)
    assert [message for message in told(text, *steps, until="16 00:00") if not message.endswith("officer")] == ["13 18:00 boss"]


def test_period_without_the_expected_act_is_a_breach_and_the_role_above_hears() -> None:
    text = clock("every: 1wd, expects: followed_up, do: [{remind: officer}]")
    lines = event_lines(
        rows(text, "10 10:00 follow_up officer", "11 10:00 follow_up officer", until="13 00:00"), "reminded", "clock_breached"
    )
    assert lines == ["10 18:00 reminded c.1", "11 18:00 reminded c.1", "12 18:00 reminded c.1", "12 18:00 clock_breached c.1"]
    assert told(text, "10 10:00 follow_up officer", "11 10:00 follow_up officer", until="13 00:00")[-1] == "12 18:00 boss"


def test_period_ends_with_its_own_act_at_the_very_instant() -> None:
    text = clock("every: 1wd, expects: followed_up, do: [{remind: officer}]")
    lines = event_lines(rows(text, "10 18:00 follow_up officer", until="11 00:00"), "clock_breached")
    assert lines == []


def test_reminder_whose_guard_is_known_late_is_sent_at_once() -> None:
    facts = "facts: {hot: {type: bool, default: false}}\n"
    text = facts + clock("reminders: [{share: 0.1, when: facts.hot, do: [{remind: boss, by: [sms]}]}], due: [{within: 5wd}]", "{}")
    found = rows(text, '11 10:00 amend boss facts={"hot":true}', until="12 00:00")
    assert [(row["recipients"], row["late_by"] > 0) for row in found if row["event"] == "reminded"] == [(["boss"], True)]
    later = rows(text, '09 10:00 amend boss facts={"hot":true}', '09 10:30 amend boss facts={"hot":false}', until="12 00:00")
    assert [row for row in later if row["event"] == "reminded"] == []
