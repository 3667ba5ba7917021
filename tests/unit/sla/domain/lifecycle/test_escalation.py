"""Escalation: how a matter moves up a ladder, and what ends it."""

from typing import Any

import pytest

from tests.unit.sla.timeline import event_lines, november_instant, requested_messages, run_steps

LADDER = """
levels: [officer, boss, chief]
clocks:
- {id: c, clause: "1", starts: registered, stops: handled, owner: officer, due: [{within: 1h, do: [{escalate: up}]}]}
ladders: [{id: up, clause: "2", rungs: [officer, boss, chief], every: 2h}]
"""
ESCALATION_EVENTS = ("escalated", "no_recipient", "escalation_acknowledged")


def person(name: str, role: str = "", **fields: Any) -> dict[str, Any]:
    return {"id": name, "roles": [role] if role else [], **fields}


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
def test_ladder_skips_vacant_roles_and_absent_or_accused_holders(
    people: list[dict[str, Any]], against: list[str], rungs: list[str]
) -> None:
    organisation = {"people": [*people, person("fu")], "fallback": "fu"}
    rows = run_steps(LADDER, until="10 00:00", organisation=organisation, against=against)
    assert [f"{row['at']:%H} {row['role']}" for row in rows if row["event"] == "escalated"] == rungs
    assert [row["recipients"] for row in rows if row["event"] == "no_recipient"] == [["fu"]]


def test_ladder_moves_up_at_each_interval_until_it_is_acknowledged() -> None:
    rows = run_steps(LADDER, "09 09:30 acknowledge boss", "09 12:00 acknowledge boss", until="10 00:00")
    assert event_lines(rows, *ESCALATION_EVENTS) == [
        "09 09:30 escalation_acknowledged boss",
        "09 10:00 escalated officer",
        "09 12:00 escalation_acknowledged boss",
    ]


def test_ladder_ends_when_the_case_is_closed() -> None:
    assert event_lines(run_steps(LADDER, "09 10:30 answer boss", "09 11:00 close boss", until="10 00:00"), *ESCALATION_EVENTS) == [
        "09 10:00 escalated officer"
    ]


def test_ladder_without_an_interval_moves_up_one_rung_for_each_cause() -> None:
    text = """
ladders: [{id: up, clause: "2", rungs: [officer, boss], every: null}]
reactions: [{id: unhappy, "on": {event: called_back, when: "event.outcome == 'dissatisfied'"}, do: [{escalate: up}], clause: "1"}]
"""
    steps = [
        f"09 1{hour}:00 call_back officer outcome={outcome}" for hour, outcome in enumerate(["dissatisfied", "satisfied", "dissatisfied"])
    ]
    rows = run_steps(text, *steps, "09 13:00 call_back officer outcome=dissatisfied")
    assert event_lines(rows, *ESCALATION_EVENTS) == ["09 10:00 escalated officer", "09 12:00 escalated boss", "09 13:00 no_recipient boss"]


def test_escalation_to_a_role_moves_up_the_line_of_the_organisation() -> None:
    text = LADDER.replace("{escalate: up}", "{escalate: officer}")
    rows = run_steps(text, organisation={"people": [OFFICER, BOSS], "line": {"officer": "boss"}}, until="13 00:00")
    assert [row["role"] for row in rows if row["event"] == "escalated"] == ["officer", "boss"]


def test_escalations_state_the_due_instant_on_every_rung() -> None:
    organisation = {"people": [OFFICER, BOSS, CHIEF]}
    rows = requested_messages(LADDER, until="10 00:00", organisation=organisation)
    sent = [row["values"] for row in rows if row["about"] == "escalated"]
    assert [(values["due_at"], values["overdue"]) for values in sent] == [(november_instant("09 10:00"), True)] * 3


def test_escalations_carry_the_wording_of_the_ladder_on_every_rung() -> None:
    text = """
ladders:
- {id: up, clause: "2", zh: 逐级, en: Up, rungs: [officer, boss], every: null, text: {zh: "不满意[：{answer}]", en: "Unhappy[: {answer}]"}}
reactions: [{id: unhappy, "on": {event: called_back, when: "event.outcome == 'dissatisfied'"}, do: [{escalate: up}], clause: "1"}]
"""
    steps = (
        "09 10:00 call_back officer outcome=dissatisfied",
        "09 11:00 answer officer text=换泵",
        "09 12:00 call_back officer outcome=dissatisfied",
    )
    rows = requested_messages(text, *steps, until="09 13:00")
    sent = [row["values"] for row in rows if row["about"] == "escalated"]
    assert [(values["title"], values["wording"], values.get("answer")) for values in sent] == [
        ("逐级", "不满意[：{answer}]", None),
        ("逐级", "不满意[：{answer}]", "换泵"),
    ]


def test_only_a_rung_with_another_above_it_says_that_the_escalation_goes_on() -> None:
    """On the last rung, and on a ladder that only new causes climb, a message must not threaten with a level above."""
    ladder = """
clocks: [{{id: c, clause: "1", starts: registered, stops: handled, owner: officer, due: [{{within: 1h, do: [breach, {{escalate: up}}]}}]}}]
ladders: [{{id: up, clause: "2", rungs: [boss, chief]{every}}}]
"""
    rows = requested_messages(ladder.format(every=""), until="12 12:00")
    assert [(row["recipients"], row["values"].get("goes_on", False)) for row in rows if row["about"] == "escalated"] == [
        (["boss"], True),
        (["chief"], False),
    ]
    rows = requested_messages(ladder.format(every=", every: null"), until="12 12:00")
    assert [(row["recipients"], row["values"].get("goes_on", False)) for row in rows if row["about"] == "escalated"] == [(["boss"], False)]
