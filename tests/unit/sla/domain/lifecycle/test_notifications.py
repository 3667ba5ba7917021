"""Who is notified for a role, and what a message states of its occasion."""

from typing import Any

import pytest

from tests.unit.sla.timeline import november_instant, requested_messages, run_steps


def test_notification_of_a_vacant_role_goes_to_the_role_above_it() -> None:
    text = '{reactions: [{id: tell, "on": registered, do: [{notify: officer, by: [sms, email]}], clause: "1"}]}'
    rows = run_steps(text, organisation={"people": [{"id": "bo", "roles": ["boss"]}], "line": {"officer": "boss"}})
    assert [(row["recipients"], row["by"]) for row in rows if row["event"] == "notification_requested"] == [(["boss"], ["sms", "email"])]


def test_notification_without_a_recipient_is_reported_and_goes_to_the_fallback() -> None:
    text = '{reactions: [{id: tell, "on": registered, do: [{notify: officer}], clause: "1"}]}'
    rows = run_steps(text, organisation={"people": [{"id": "fu"}], "fallback": "fu"})
    reported = [row for row in rows if row["event"] in ("no_recipient", "notification_requested")]
    assert [(row["event"], row["recipients"]) for row in reported] == [("no_recipient", ["fu"]), ("notification_requested", ["fallback"])]
    assert reported[1]["persons"] == ["fu"]


def test_accused_holders_of_a_role_are_not_notified() -> None:
    text = '{reactions: [{id: tell, "on": registered, do: [{notify: officer}], clause: "1"}]}'
    people = [{"id": "ou", "roles": ["officer"]}, {"id": "ai", "roles": ["officer"]}]
    rows = run_steps(text, organisation={"people": people}, against=["ou"])
    assert [row["persons"] for row in rows if row["event"] == "notification_requested"] == [["ai"]]


@pytest.mark.parametrize(
    ("text", "matter"),
    [("电梯停运。", "电梯停运"), ("It leaks.", "It leaks"), ("你们管不管？", "你们管不管？"), ("停水。\n没人管。", "停水。 没人管")],
)
def test_matter_of_a_message_is_one_line_without_a_full_stop_of_its_own(text: str, matter: str) -> None:
    reaction = 'reactions: [{id: r, clause: "1", "on": registered, do: [{notify: boss}]}]'
    [row] = requested_messages(reaction, until="09 12:00", text=text)
    assert row["values"]["matter"] == matter


TWO_LINES: dict[str, Any] = {
    "departments": [{"id": "group"}, {"id": "north", "parent": "group"}, {"id": "south", "parent": "group"}, {"id": "east"}],
    "people": [
        {"id": "no", "roles": ["officer"], "department": "north"},
        {"id": "nb", "roles": ["boss"], "department": "north"},
        {"id": "sb", "roles": ["boss"], "department": "south"},
        {"id": "sc", "roles": ["chief"], "department": "south"},
        {"id": "eb", "roles": ["boss"], "department": "east"},
    ],
    "line": {"boss": "chief"},
    "fallback": "sc",
}


@pytest.mark.parametrize(
    ("effect", "route", "told"),
    [
        ("notify: boss", "south", ["sb"]),
        ("notify: boss, departments: [officer, lead]", "south", ["nb", "sb"]),
        ("remind: boss, departments: [officer, lead]", "south", ["nb", "sb"]),
        ("notify: boss, departments: [officer, chief]", "south", ["nb", "sb"]),
        ("notify: boss, departments: [lead, cooperating]", "south cooperating=[north,east]", ["sb", "nb", "eb"]),
        ("notify: boss, departments: [lead, cooperating]", "south", ["sb"]),
        ("notify: boss, departments: [lead, officer]", "north", ["nb"]),
    ],
)
def test_recipients_of_a_joint_matter_are_searched_in_the_line_of_each_unit(effect: str, route: str, told: list[str]) -> None:
    text = f'{{reactions: [{{id: tell, "on": routed, do: [{{{effect}}}], clause: "1"}}]}}'
    rows = run_steps(text, f"09 10:00 route boss department={route}", organisation=TWO_LINES)
    assert [row["persons"] for row in rows if row["event"] == "notification_requested"] == [told]


def test_a_vacant_role_of_one_line_is_searched_above_in_that_line_and_else_reported() -> None:
    text = '{reactions: [{id: tell, "on": routed, do: [{notify: boss, departments: [lead, cooperating]}], clause: "1"}]}'
    people = [person for person in TWO_LINES["people"] if person["id"] not in ("sb", "eb")]
    step = "09 10:00 route boss department=south cooperating=[east]"
    rows = run_steps(text, step, organisation={**TWO_LINES, "people": people, "line": {"boss": "chief"}})
    told = [row for row in rows if row["event"] in ("no_recipient", "notification_requested")]
    assert [(row["event"], row.get("role"), row.get("persons")) for row in told] == [
        ("no_recipient", "boss", None),
        ("notification_requested", None, ["sc"]),
        ("notification_requested", None, ["sc"]),
    ]


def test_the_accused_of_one_line_is_not_told_and_the_other_line_is() -> None:
    text = '{reactions: [{id: tell, "on": routed, do: [{notify: boss, departments: [officer, lead]}], clause: "1"}]}'
    rows = run_steps(text, "09 10:00 route boss department=south", organisation=TWO_LINES, against=["sb"])
    assert [row["persons"] for row in rows if row["event"] == "notification_requested"] == [["nb", "sc"]]


TIMED = """
clocks:
- {id: c, clause: "1", zh: 当天处理, en: Same day, starts: registered, stops: handled, owner: officer,
   reminders: [{before: 30m, do: [{notify: boss}, {remind: boss}]}], due: [{within: 1h, do: [breach, {notify: boss}, {remind: boss}]}]}
- {id: d, clause: "2", starts: registered, stops: handled, owner: officer, due: [{within: 2h, do: [{notify: chief}]}]}
"""


def test_notices_of_a_clock_state_its_title_start_and_due_instant_and_whether_it_is_overdue() -> None:
    rows = requested_messages(TIMED, until="09 12:00")
    assert [(row["at"].strftime("%H:%M"), row["about"], row["values"].get("overdue", False)) for row in rows] == [
        ("09:30", "due", False),
        ("09:30", "reminded", False),
        ("10:00", "clock_breached", True),
        ("10:00", "reminded", True),
        ("11:00", "due", False),
    ]
    assert all(row["template"] == row["about"] for row in rows)
    stated = {
        "title": "当天处理",
        "title_en": "Same day",
        "started_at": november_instant("09 09:00"),
        "due_at": november_instant("09 10:00"),
    }
    assert all(stated.items() <= row["values"].items() for row in rows[:4])


def test_message_of_a_reaction_states_the_title_of_its_entry() -> None:
    text = 'reactions: [{id: r, clause: "1", zh: 立即汇报, en: Report at once, "on": registered, do: [{notify: boss}]}]'
    [row] = requested_messages(text, until="09 12:00")
    assert (row["about"], row["values"]["title"], row["values"]["title_en"]) == ("registered", "立即汇报", "Report at once")


def test_message_of_a_reaction_to_a_breach_states_the_limit_that_was_missed() -> None:
    text = """
clocks:
- {id: a, zh: 三日内答复, en: Answered in three days, clause: "1", starts: registered, stops: handled, owner: boss, due: [{within: 1h}]}
reactions: [{id: tell, "on": clock_breached, do: [{notify: boss, text: {zh: "{limit}", en: "{limit}"}}], clause: "1"}]
"""
    [values] = [row["values"] for row in requested_messages(text, until="09 12:00") if row["rule"] == "tell"]
    assert (values["limit"], values["limit_en"], values["due_at"]) == ("三日内答复", "Answered in three days", november_instant("09 10:00"))
    assert values["overdue"] is True


def test_nobody_is_told_of_a_message_to_the_co_operating_departments_of_a_case_without_any() -> None:
    text = '{reactions: [{id: tell, "on": routed, do: [{notify: boss, departments: [cooperating]}], clause: "1"}]}'
    rows = run_steps(text, "09 10:00 route boss department=south", organisation=TWO_LINES)
    assert [row["event"] for row in rows if row["event"] in ("notification_requested", "no_recipient")] == []
