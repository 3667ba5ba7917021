"""Who is notified for a role, and what a message states of its occasion."""

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


TWO_LINES = {
    "departments": [{"id": "service"}, {"id": "site"}, {"id": "garden"}],
    "people": [
        {"id": "ann", "roles": ["chief"], "department": "service"},
        {"id": "bob", "roles": ["chief"], "department": "site"},
        {"id": "cat", "roles": ["chief"], "department": "garden"},
        {"id": "dan", "roles": ["officer"], "department": "service"},
        {"id": "eva", "roles": ["boss"]},
    ],
    "fallback": "eva",
}


def told_on_routing(departments: str, step: str, against: list[str] | None = None) -> list[list[str]]:
    text = f'reactions: [{{id: tell, "on": routed, do: [{{notify: chief, departments: {departments}}}], clause: "1"}}]'
    rows = run_steps(text, step, organisation=TWO_LINES, against=against or [])
    return [row["persons"] for row in rows if row["event"] == "notification_requested"]


def test_a_message_reaches_the_role_in_the_named_departments() -> None:
    step = "09 10:00 route boss department=site cooperating=[garden]"
    assert told_on_routing("[lead]", step) == [["bob"]]
    assert told_on_routing("[cooperating]", step) == [["cat"]]
    assert told_on_routing("[lead, officer]", step) == [["bob", "ann"]]  # the line of whoever is an officer
    assert told_on_routing("[lead, cooperating, officer]", step) == [["bob", "cat", "ann"]]


def test_a_message_to_co_operating_departments_reaches_nobody_where_there_are_none() -> None:
    assert told_on_routing("[cooperating]", "09 10:00 route boss department=site") == []


def test_a_role_that_no_named_department_holds_is_reported_to_the_fallback() -> None:
    step = "09 10:00 route boss department=site cooperating=[garden]"
    assert told_on_routing("[cooperating]", step, against=["cat"]) == [["eva"]]


def test_a_role_above_takes_the_place_in_the_named_departments() -> None:
    text = 'reactions: [{id: tell, "on": routed, do: [{remind: officer, departments: [cooperating]}], clause: "1"}]'
    company = {**TWO_LINES, "line": {"officer": "chief"}}
    rows = run_steps(text, "09 10:00 route boss department=site cooperating=[garden]", organisation=company)
    assert [(row["event"], row["recipients"]) for row in rows if row["event"] == "reminded"] == [("reminded", ["chief"])]
    assert [row["persons"] for row in rows if row["event"] == "notification_requested"] == [["cat"]]
