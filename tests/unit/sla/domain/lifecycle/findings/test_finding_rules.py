"""Findings: what their actions need, in which order they come, who may record them, and who does not hear of a concealment."""

from typing import Any

import pytest
import yaml

from shared.procedures.checks.expressions import check_expressions
from tests.unit.sla.domain.lifecycle.defaults.test_accused_people import COMPANY
from tests.unit.sla.timeline import TimelineRow, event_lines, run_steps, small_procedure

PLAIN = "clocks: []\n"


def last_event(*actions: str, procedure: str = PLAIN, **complaint: Any) -> TimelineRow:
    """The event of the last action; the actions are a minute apart, from 10:00 on."""
    steps = [f"09 10:{number:02} {action}" for number, action in enumerate(actions)]
    rows = run_steps(procedure, *steps, until="10 00:00", **complaint)
    return next(row for row in reversed(rows) if row["at"].strftime("%H:%M") == steps[-1][3:8] and row.get("role"))


@pytest.mark.parametrize(
    ("action", "event"),
    [
        ("record_cause officer cause=workmanship text=leak", "cause_recorded"),
        ("record_liability officer persons=[li] units=[works]", "liability_recorded"),
        ("record_sanction boss sanction=fine persons=[li] amount=200.5", "sanction_recorded"),
        ("propose_compensation officer compensation=cash amount=1200", "compensation_proposed"),
        ("propose_compensation officer compensation=replacement", "compensation_proposed"),
        ("record_agreement officer household=3-1-402 agreed=false", "agreement_recorded"),
        ("report_concealment officer concealment=evasion units=[works] text=refused", "concealment_reported"),
        ("draft_notice officer text=water", "notice_drafted"),
        ("publish_notice officer place=hall", "notice_published"),
        ("record_call officer to=boss result=reached", "call_recorded"),
        ("record_call officer person=Wang result=busy", "call_recorded"),
        ("record_meeting officer persons=[li] absentees=[wu] place=site", "meeting_recorded"),
    ],
)
def test_each_action_causes_its_event_with_its_data(action: str, event: str) -> None:
    row = last_event(action)
    assert row["event"] == event
    words = dict(pair.split("=", 1) for pair in action.split(" ")[2:])
    assert {name for name in words if name not in row} <= {"agreed"}  # the timeline shows no empty values


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("record_cause officer", "cause is missing"),
        ("record_liability officer text=x", "persons and units are missing; give one of them"),
        ("record_sanction officer persons=[li]", "sanction is missing"),
        ("record_sanction officer sanction=fine", "persons and units are missing"),
        ("record_sanction officer sanction=fine persons=[li]", "amount: is missing; a fine has one"),
        ("record_sanction officer sanction=fine persons=[li] amount=0", "amount: is 0"),
        ("propose_compensation officer compensation=cash amount=-0.0", "amount: is 0"),
        ("propose_compensation officer compensation=other amount=0", "amount: is 0"),
        ("record_sanction officer sanction=warning persons=[li] amount=5", "amount: belongs to a fine"),
        ("propose_compensation officer compensation=cash", "amount: is missing"),
        ("record_agreement officer household=A", "agreed is missing"),
        ("record_agreement officer agreed=true", "household is missing"),
        ("report_concealment officer concealment=refusal persons=[li]", "text is missing"),
        ("confirm_notice officer", "attachments is missing"),
        ("record_call officer result=reached", "to and person are missing"),
        ("record_call officer to=boss", "result is missing"),
        ("record_call officer to=boss result=reached happened_at=2026-11-09T10:01:00+08:00", "happened_at: lies in the future"),
        ("record_meeting officer persons=[li] happened_at=2026-11-10T10:00:00+08:00", "happened_at: lies in the future"),
        ("record_call officer to=boss result=reached happened_at=2026-11-09T08:59:59+08:00", "happened_at: lies before the receipt"),
        ("record_meeting officer persons=[li] happened_at=2026-11-09T08:59:59+08:00", "happened_at: lies before the receipt"),
        ("decide_compensation boss", "passed is missing"),
        ("decide_notice boss", "passed is missing"),
        ('record_cause officer cause="\u3000"', "cause is missing"),
        ('record_liability officer persons=[""]', "persons and units are missing"),
        ('record_liability officer persons=[li,"\u3000"]', "persons: has blanks only, or an entry"),
        ('record_liability officer persons=[li] units=[""]', "units: has blanks only, or an entry"),
        ('record_agreement officer household="\u3000" agreed=true', "household is missing"),
        ('propose_compensation officer compensation=other household="\u3000"', "household: has blanks only"),
        ('draft_notice officer text=water notice="\u3000"', "notice: has blanks only"),
    ],
)
def test_missing_and_impossible_data_are_refused_with_field_and_remedy(action: str, reason: str) -> None:
    refusal = last_event(action)
    assert refusal["event"] == "action_refused"
    assert refusal["reason"].startswith(reason)


PROPOSED = "propose_compensation officer compensation=cash amount=1000"
PAY = "pay_compensation officer"
FOR_402 = "propose_compensation officer compensation=cash amount=300 household=3-1-402"


@pytest.mark.parametrize(
    ("actions", "event"),
    [
        (["decide_compensation boss passed=true"], "action_refused"),
        ([PROPOSED, "decide_compensation boss passed=true"], "compensation_approved"),
        ([PROPOSED, "decide_compensation boss passed=false"], "compensation_refused"),
        ([PROPOSED, "decide_compensation boss passed=true", "decide_compensation boss passed=false"], "action_refused"),
        ([PROPOSED, "decide_compensation boss passed=false", PROPOSED, "decide_compensation boss passed=true"], "compensation_approved"),
        ([PROPOSED, PROPOSED], "action_refused"),
        ([FOR_402, FOR_402.replace("3-1", "３-1")], "action_refused"),
        ([PROPOSED, "decide_compensation boss passed=true", PROPOSED], "compensation_proposed"),
        ([PROPOSED, "decide_compensation boss passed=true amount=1000.01"], "action_refused"),
        ([PROPOSED, "decide_compensation boss passed=true compensation=refund"], "action_refused"),
        ([PROPOSED, "decide_compensation boss passed=true", f"{PAY} compensation=waived_fees"], "action_refused"),
        ([PROPOSED, "decide_compensation boss passed=true", f"{PAY} compensation=cash amount=1000"], "compensation_paid"),
        ([PROPOSED, "decide_compensation boss passed=true household=3-1-402"], "action_refused"),
        ([PROPOSED, FOR_402, "decide_compensation boss passed=true household=３-1-402"], "compensation_approved"),
        ([PROPOSED, "pay_compensation officer"], "action_refused"),
        ([PROPOSED, "decide_compensation boss passed=false", "pay_compensation officer"], "action_refused"),
        ([PROPOSED, "decide_compensation boss passed=true", "pay_compensation officer amount=1000"], "compensation_paid"),
        ([PROPOSED, "decide_compensation boss passed=true", "pay_compensation officer amount=1000.01"], "action_refused"),
        ([PROPOSED, "decide_compensation boss passed=true amount=800", "pay_compensation officer amount=900"], "action_refused"),
        ([PROPOSED, "decide_compensation boss passed=true", f"{PAY} amount=600", f"{PAY} amount=400"], "compensation_paid"),
        ([PROPOSED, "decide_compensation boss passed=true", "pay_compensation officer", "pay_compensation officer"], "action_refused"),
        (
            ["propose_compensation officer compensation=other", "decide_compensation boss passed=true", "pay_compensation officer"],
            "compensation_paid",
        ),
        (["decide_notice boss passed=true"], "action_refused"),
        (["draft_notice officer text=water", "decide_notice boss passed=true"], "notice_approved"),
        (["draft_notice officer text=water", "decide_notice boss passed=false", "publish_notice officer place=hall"], "action_refused"),
        (["draft_notice officer text=water", "decide_notice boss passed=true", "decide_notice boss passed=true"], "action_refused"),
        (["confirm_notice officer attachments=[photo.jpg]"], "action_refused"),
        (["publish_notice officer place=hall", "confirm_notice officer attachments=[photo.jpg]"], "notice_confirmed"),
        (["publish_notice officer place=hall notice=a", "confirm_notice officer attachments=[photo.jpg] notice=b"], "action_refused"),
    ],
)
def test_nothing_is_decided_paid_or_confirmed_without_the_step_before(actions: list[str], event: str) -> None:
    assert last_event(*actions)["event"] == event


def test_a_notice_goes_out_undecided_only_where_the_procedure_names_nobody_who_decides() -> None:
    decided = "clocks: []\nactions: {decide_notice: {by: boss, clause: '1'}}\n"
    assert last_event("publish_notice officer place=hall", procedure=decided)["event"] == "action_refused"
    approved = ["draft_notice officer text=water", "decide_notice boss passed=true", "publish_notice officer place=hall"]
    assert last_event(*approved, procedure=decided)["event"] == "notice_published"


def test_an_approval_and_a_payment_take_kind_and_amount_from_what_came_before() -> None:
    approved = last_event(PROPOSED, "decide_compensation boss passed=true amount=800")
    assert (approved["compensation"], approved["amount"]) == ("cash", 800)
    paid = last_event(PROPOSED, "decide_compensation boss passed=true", "pay_compensation officer amount=600", "pay_compensation officer")
    assert (paid["compensation"], paid["amount"]) == ("cash", 400)


def test_a_call_without_an_instant_happened_when_it_was_recorded() -> None:
    call = last_event("record_call officer to=boss result=reached")
    assert call["happened_at"] == call["at"]
    earlier = last_event("record_call officer to=boss result=reached happened_at=2026-11-09T09:30:00+08:00")
    assert earlier["happened_at"].strftime("%H:%M") == "09:30"


@pytest.mark.parametrize("role", ["complainant", "system"])
@pytest.mark.parametrize("action", ["record_cause {} cause=x", "report_concealment {} concealment=refusal units=[a] text=x"])
def test_neither_complainant_nor_system_records_findings(action: str, role: str) -> None:
    assert last_event(action.format(role))["event"] == "action_refused"


@pytest.mark.parametrize(
    "action", ["record_liability boss persons=[li]", "decide_compensation boss passed=true", "record_call boss to=officer result=reached"]
)
def test_the_accused_records_nothing_on_his_own_case(action: str) -> None:
    refusal = last_event(PROPOSED, action, against=["boss"])
    assert refusal["reason"].startswith("actor: the complaint is about the actor")


AGREEMENTS = """
clocks: []
facts: {persons: {type: int, default: 4}}
closing: [{requires: "case.residents_agreed + case.residents_agreed > facts.persons && case.residents_disagreed == 0", clause: "1"}]
actions: {close: {waives: [close_needs_handling], clause: "1"}}
"""


def test_residents_count_once_each_by_their_latest_answer() -> None:
    agreed = [f"record_agreement officer household={household} agreed=true" for household in ("1-1", "1-2", "1-3")]
    assert last_event(*agreed[:2], "close boss", procedure=AGREEMENTS)["event"] == "action_refused"
    assert last_event(*agreed[:2], agreed[1], "close boss", procedure=AGREEMENTS)["event"] == "action_refused"
    assert last_event(*agreed, "close boss", procedure=AGREEMENTS)["event"] == "closed"
    changed = "record_agreement officer household=1-3 agreed=false"
    assert last_event(*agreed, changed, "close boss", procedure=AGREEMENTS)["event"] == "action_refused"


def test_a_reopened_case_asks_its_residents_again() -> None:
    agreed = [f"record_agreement officer household={household} agreed=true" for household in ("1-1", "1-2", "1-3")]
    assert last_event(*agreed, "close boss", "reopen boss", "close boss", procedure=AGREEMENTS)["event"] == "action_refused"


CONCEALMENT = """
clocks: []
reactions:
- {id: told, "on": concealment_reported, do: [{notify: officer}, {remind: boss}], clause: "1"}
"""


def heard(concealment: str) -> set[str]:
    rows = run_steps(
        CONCEALMENT, "09 09:10 route chief department=desk", f"09 10:00 report_concealment chief {concealment} text=x", organisation=COMPANY
    )
    return {person for row in rows if row["event"] == "notification_requested" for person in row["persons"]}


def test_whoever_is_named_and_who_reports_to_him_hear_nothing_of_the_report() -> None:
    assert heard("concealment=evasion persons=[Wang]") == {"li", "sun", "qian"}
    assert heard("concealment=evasion persons=[li]") == {"sun", "qian"}
    # The one above takes the place of the head; those who report to him are left out with him.
    assert heard("concealment=late_report persons=[钱]") == {"zhao"}
    assert heard("concealment=refusal units=[desk]") == {"zhao"}


SAYABLE = """
clocks:
- {id: phoned, clause: "1", starts: registered, stops: {event: call_recorded, when: "event.to == 'boss' && event.result == 'reached'"}, owner: officer, due: [{within: 2h}]}
- {id: weekly, clause: "2", starts: registered, stops: closed, owner: officer, every: 1d, expects: meeting_recorded, do: [{remind: officer}]}
closing:
- {requires: "count.sanction_recorded > 0 || last.cause_recorded.cause == 'outside'", clause: "3", reason: the liable are penalised}
reactions:
- {id: large, "on": {event: compensation_proposed, when: "event.amount > 5000.0"}, do: [{notify: boss}], clause: "4"}
actions: {close: {waives: [close_needs_handling], clause: "3"}}
"""  # noqa: E501


def test_clocks_guards_closing_and_reactions_read_findings() -> None:
    steps = [
        "09 10:00 record_call officer to=boss result=busy",
        "09 10:10 propose_compensation officer compensation=cash amount=5000",
        "09 10:20 propose_compensation officer compensation=cash amount=5000.01 household=1-1",
        "09 10:30 close boss",
        "09 10:40 record_sanction boss sanction=warning units=[works]",
        "09 10:50 record_call officer to=boss result=reached",
        "09 10:55 record_meeting officer units=[works]",
        "10 11:00 close boss",
    ]
    rows = run_steps(SAYABLE, *steps, until="12 00:00")
    lines = event_lines(rows, "clock_stopped", "clock_breached", "action_refused", "closed", "notification_requested")
    assert lines == [
        "09 10:20 notification_requested boss",
        "09 10:30 action_refused close 3",
        "09 10:50 clock_stopped phoned.1",
        "10 11:00 closed boss",
        "10 11:00 clock_stopped weekly.1",
    ]


WRONG_CONDITIONS = [
    ("event.sanction == 'jail'", "sanction_recorded", "event.sanction is never 'jail'"),
    ("event.result == 'rang'", "call_recorded", "event.result is never 'rang'"),
    ("event.amount > 'much'", "compensation_paid", "cannot be evaluated"),
    ("event.absent == []", "meeting_recorded", "absent"),
    ("case.residents == 3", "agreement_recorded", "case.residents"),
]


@pytest.mark.parametrize(("condition", "event", "message"), WRONG_CONDITIONS)
def test_check_refuses_conditions_that_no_finding_meets(condition: str, event: str, message: str) -> None:
    reaction = {"id": "r", "on": {"event": event, "when": condition}, "do": [{"notify": "boss"}], "clause": "1"}
    findings = check_expressions(small_procedure(yaml.safe_dump({"clocks": [], "reactions": [reaction]})))
    assert [message in finding.message for finding in findings] == [True]
