"""Effects of deadlines and reactions: reminders, notifications, escalations, deemed events, changes of the case."""

from typing import Any

import pytest

from tests.unit.sla.timeline import event_lines, november_instant, requested_messages, run_steps

LADDER = """
levels: [officer, boss, chief]
clocks:
- {id: c, clause: "1", starts: registered, stops: handled, owner: officer, due: [{within: 1h, do: [{escalate: up}]}]}
ladders: [{id: up, clause: "2", rungs: [officer, boss, chief], every: 2h}]
"""
UP = ("escalated", "no_recipient", "escalation_acknowledged")


def person(name: str, role: str = "", **more: Any) -> dict[str, Any]:
    return {"id": name, "roles": [role] if role else [], **more}


AWAY = {"absent": [{"from": november_instant("09 00:00"), "to": november_instant("10 00:00")}]}
OFFICER, BOSS, CHIEF = person("ou", "officer"), person("bo", "boss"), person("chen", "chief")


@pytest.mark.parametrize(
    ("people", "against", "rungs"),
    [
        ([OFFICER, BOSS, CHIEF], [], ["10 officer", "12 boss", "14 chief"]),
        ([OFFICER, CHIEF], [], ["10 officer", "12 chief"]),
        ([OFFICER, {**BOSS, **AWAY}, CHIEF], [], ["10 officer", "12 chief"]),
        ([OFFICER, {**BOSS, **AWAY, "substitute": "dai"}, CHIEF, person("dai")], [], ["10 officer", "12 boss", "14 chief"]),
        ([OFFICER, {**BOSS, **AWAY, "substitute": "dai"}, CHIEF, person("dai")], ["dai"], ["10 officer", "12 chief"]),
        ([OFFICER, BOSS, CHIEF], ["bo"], ["10 officer", "12 chief"]),
        ([OFFICER, BOSS, CHIEF], ["ou", "bo"], ["10 chief"]),
        ([], [], []),
    ],
)
def test_a_ladder_skips_the_vacant_the_absent_and_the_accused(people: list[dict[str, Any]], against: list[str], rungs: list[str]) -> None:
    organisation = {"people": [*people, person("fu")], "fallback": "fu"}
    rows = run_steps(LADDER, until="10 00:00", organisation=organisation, against=against)
    assert [f"{row['at']:%H} {row['role']}" for row in rows if row["event"] == "escalated"] == rungs
    last = [row for row in rows if row["event"] == "no_recipient"]
    assert [row["recipients"] for row in last] == [["fu"]]


def test_acknowledgement_ends_an_escalation_and_silence_raises_it() -> None:
    rows = run_steps(LADDER, "09 09:30 acknowledge boss", "09 12:00 acknowledge boss", until="10 00:00")
    assert event_lines(rows, *UP) == [
        "09 09:30 escalation_acknowledged boss",
        "09 10:00 escalated officer",
        "09 12:00 escalation_acknowledged boss",
    ]


def test_a_ladder_ends_with_the_case() -> None:
    assert event_lines(run_steps(LADDER, "09 11:00 close boss", until="10 00:00"), *UP) == ["09 10:00 escalated officer"]


def test_a_ladder_without_silence_rises_with_each_new_cause() -> None:
    text = """
ladders: [{id: up, clause: "2", rungs: [officer, boss], every: null}]
reactions: [{id: unhappy, "on": {event: called_back, when: "event.outcome == 'dissatisfied'"}, do: [{escalate: up}], clause: "1"}]
"""
    steps = [f"09 1{hour}:00 call_back officer outcome={said}" for hour, said in enumerate(["dissatisfied", "satisfied", "dissatisfied"])]
    rows = run_steps(text, *steps, "09 13:00 call_back officer outcome=dissatisfied")
    assert event_lines(rows, *UP) == ["09 10:00 escalated officer", "09 12:00 escalated boss", "09 13:00 no_recipient boss"]


def test_an_escalation_to_a_role_continues_along_the_organisations_line() -> None:
    text = LADDER.replace("{escalate: up}", "{escalate: officer}")
    rows = run_steps(text, organisation={"people": [OFFICER, BOSS], "line": {"officer": "boss"}}, until="13 00:00")
    assert [row["role"] for row in rows if row["event"] == "escalated"] == ["officer", "boss"]


def test_deeming_is_an_event_like_any_other() -> None:
    text = """
clocks:
- {id: c, clause: "1", starts: registered, stops: handled, owner: boss, due: [{within: 1h, do: [{deem: measures_deemed_approved}]}]}
- {id: n, clause: "2", starts: measures_deemed_approved, stops: work_started, owner: boss, due: [{within: 1h}]}
reactions: [{id: tell, "on": measures_deemed_approved, do: [{notify: officer}], clause: "3"}]
actions: {start_work: {requires: case.approved, clause: "4"}}
"""
    rows = run_steps(text, "09 09:30 start_work officer", "09 10:30 start_work officer")
    assert event_lines(rows, "measures_deemed_approved", "clock_started", "notification_requested", "action_refused", "work_started") == [
        "09 09:00 clock_started c.1",
        "09 09:30 action_refused start_work 4",
        "09 10:00 measures_deemed_approved c.1",
        "09 10:00 clock_started n.1",
        "09 10:00 notification_requested officer",
        "09 10:30 work_started officer",
    ]


def test_effects_that_change_the_case() -> None:
    text = """
levels: [officer, boss]
facts: {urgent: {type: bool, default: false}}
classes: [{id: hot, clause: "8", when: "false"}, {id: cold, clause: "9"}]
clocks:
- id: c
  clause: "1"
  starts: registered
  stops: handled
  owner: officer
  due:
  - within: 1h
    do: [{set: {urgent: true}}, {reclassify: hot}, {raise_level: 1}, {raise_level: 1}, {assign: officer}, {start: s}, {cancel: x}]
- {id: s, clause: "2", starts: evaluated, owner: boss, due: [{within: 1h}]}
- {id: x, clause: "3", starts: registered, owner: boss, due: [{within: 3h}]}
- {id: g, clause: "4", when: facts.urgent, starts: registered, owner: boss, due: [{within: 5h}]}
"""
    rows = run_steps(text, until="10 00:00")
    assert event_lines(rows, "amended", "reclassified", "escalated", "assigned", "clock_cancelled", "clock_started", "clock_breached")[
        2:
    ] == [
        "09 10:00 amended system",
        "09 10:00 reclassified hot",
        "09 10:00 escalated boss",
        "09 10:00 escalated boss",
        "09 10:00 assigned officer",
        "09 10:00 clock_started s.1",
        "09 10:00 clock_cancelled x.1",
        "09 10:00 clock_started g.1",
        "09 11:00 clock_breached s.1",
        "09 14:00 clock_breached g.1",
    ]
    assert [row["level"] for row in rows if row["event"] == "escalated"] == [1, 1]  # no role is above the highest


def test_owner_is_the_clocks_owner_or_the_role_of_an_event() -> None:
    text = """
clocks:
- {id: c, clause: "1", starts: signed, owner: {who: signed}, due: [{within: 1h, do: [breach, {remind: owner}]}]}
"""
    rows = run_steps(text, "09 10:00 sign chief", until="10 00:00")
    assert [row["role"] for row in rows if row["event"] in ("clock_breached", "reminded")] == ["chief", "chief"]


def test_the_clause_of_a_breach_is_the_effects_else_the_thresholds_else_the_clocks() -> None:
    text = """
clocks:
- {id: c, clause: "1", starts: registered, owner: boss, due: [{within: 1h}, {within: 2h, clause: "2"},
   {within: 3h, clause: "2", do: [{breach: true, clause: "3"}]}]}
"""
    assert [row["clause"] for row in run_steps(text) if row["event"] == "clock_breached"] == ["1", "2", "3"]


def test_a_vacant_role_is_replaced_by_the_one_above_it() -> None:
    text = '{reactions: [{id: tell, "on": registered, do: [{notify: officer, by: [sms, email]}], clause: "1"}]}'
    rows = run_steps(text, organisation={"people": [BOSS], "line": {"officer": "boss"}})
    assert [(row["recipients"], row["by"]) for row in rows if row["event"] == "notification_requested"] == [(["boss"], ["sms", "email"])]


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


def test_escalations_state_the_due_instant_on_every_rung() -> None:
    organisation = {"people": [OFFICER, BOSS, CHIEF]}
    rows = requested_messages(LADDER, until="10 00:00", organisation=organisation)
    sent = [row["values"] for row in rows if row["about"] == "escalated"]
    assert [(values["due_at"], values["overdue"]) for values in sent] == [(november_instant("09 10:00"), True)] * 3


def test_message_of_a_reaction_states_the_title_of_its_entry() -> None:
    text = 'reactions: [{id: r, clause: "1", zh: 立即汇报, en: Report at once, "on": registered, do: [{notify: boss}]}]'
    [row] = requested_messages(text, until="09 12:00")
    assert (row["about"], row["values"]["title"], row["values"]["title_en"]) == ("registered", "立即汇报", "Report at once")
