"""Reviews of triage's decisions: what opens and ends one, what a decision changes, and what is refused."""

from typing import Any

import pytest

from services.sla.domain.deadlines.worktime import from_micros
from services.sla.domain.evidence.recorded_events import reconstruct_input, to_recorded_events
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.decide import CaseDecision, decide
from services.sla.domain.lifecycle.inputs import ApplyDecision, TakeAction
from services.sla.domain.lifecycle.permissions import may_decide_review
from services.sla.domain.rules.rulebook import Rulebook
from shared.procedures.calendars.calendar import default_calendar
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.organisation import Organisation, open_organisation
from tests.unit.sla.timeline import november_micros, small_opening, small_procedure

PROCEDURE = """
subjects:
  - {id: lift, zh: 电梯, en: Lifts}
  - {id: water, zh: 供水, en: Water}
actions:
  reassign: {by: [officer, boss]}
clocks:
  - id: review
    clause: "9.1"
    starts: [{event: routed, when: event.review != ""}, {event: route_proposed, when: event.review != ""}]
    stops: [review_decided, {event: routed, when: event.by != "triage"}]
    due: [{within: 1d, do: [breach]}]
    owner: officer
    limits: {remind_at: 0.5, tell_owner: true, escalate_after: 1d}
"""
COMPANY = Organisation.model_validate(
    {
        "id": "company",
        "departments": [{"id": "works"}, {"id": "gardens"}],
        "people": [{"id": "wu", "roles": ["officer"]}, {"id": "bo", "roles": ["boss"]}],
        "line": {"officer": "boss"},
    }
)
GUESSES = [
    {"label": "subject", "value": "电梯", "probability": 0.7},
    {"label": "subject", "value": "供水", "probability": 0.2},
    {"label": "department", "value": "works", "probability": 0.6},
    {"label": "urgency", "value": "high", "probability": 0.8},
]
ROUTED = {"by": "triage", "model": "m1", "guesses": GUESSES}
NOW = november_micros("20 00:00")


def rulebook(organisation: Organisation = COMPANY, procedure: str = PROCEDURE) -> Rulebook:
    return Rulebook(bind_parameters(small_procedure(procedure)), organisation, {"default": default_calendar()})


RULEBOOK = rulebook()


def proposed(reason: str = "confidence", *, event: str = "route_proposed", department: str = "unassigned") -> Case:
    opened = decide(None, small_opening(), RULEBOOK, NOW).case
    routed = ApplyDecision(event, november_micros("09 09:00"), {**ROUTED, "department": department, "review": reason}, "triage")
    return decide(opened, routed, RULEBOOK, NOW).case


def act(case: Case, action: str, at: str = "09 10:00", role: str = "officer", **data: Any) -> CaseDecision:
    return decide(case, TakeAction(action, november_micros(at), role, "wu", data), RULEBOOK, NOW)


def types(events: list[Event]) -> list[str]:
    return [event.type for event in events if not event.type.startswith("clock_")]


def test_confirmation_takes_the_first_guesses_where_nothing_stands() -> None:
    decision = act(proposed(), "decide_review", confirm=True)
    assert types(decision.events) == ["review_decided", "reclassified", "routed"]
    decided, reclassified, routed = (event for event in decision.events if not event.type.startswith("clock_"))
    assert (decided.data["outcome"], decided.data["department"], decided.data["subject"]) == ("confirmed", "works", "lift")
    assert (decided.data["labels"], decided.data["review"], decided.data["model"]) == ({"urgency": "high"}, "confidence", "m1")
    assert reclassified.data == {"role": "officer", "actor": "wu", "subject": "lift"}
    assert (routed.data["department"], routed.data["by"]) == ("works", "officer")
    assert (decision.case.department, decision.case.subject, decision.case.review) == ("works", "lift", {})


def test_correction_goes_through_the_existing_actions() -> None:
    decision = act(proposed("audit", event="routed", department="works"), "decide_review", department="gardens", subject="water")
    assert types(decision.events) == ["review_decided", "reclassified", "reassigned"]
    assert decision.events[0].data["outcome"] == "corrected"
    assert (decision.case.department, decision.case.subject) == ("gardens", "water")


def test_audited_decision_that_is_right_changes_nothing_but_is_recorded() -> None:
    case = proposed("audit", event="routed", department="works")
    decision = act(case, "decide_review", confirm=True, subject="lift")
    assert [event.data.get("outcome") for event in decision.events if event.type == "review_decided"] == ["confirmed"]
    assert decision.case.department == "works"


def test_later_decision_of_triage_does_not_outrank_the_reviewer() -> None:
    case = act(proposed(), "decide_review", confirm=True).case
    later = ApplyDecision("routed", november_micros("09 11:00"), {**ROUTED, "department": "gardens", "review": "audit"}, "triage")
    decision = decide(case, later, RULEBOOK, NOW)
    assert types(decision.events) == ["action_refused"]
    assert (decision.case.department, decision.case.review) == ("works", {})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "confirm is missing"),
        ({"text": "only a remark"}, "confirm is missing"),
        ({"department": "kitchen"}, "department: the organisation has no such department"),
        ({"department": "works", "subject": "roof"}, "subject: the procedure's subject tree has no such node"),
    ],
)
def test_decision_that_cannot_be_carried_out_is_refused_whole(data: dict[str, Any], reason: str) -> None:
    case = proposed()
    decision = act(case, "decide_review", **data)
    [refusal] = [event for event in decision.events if event.type == "action_refused"]
    assert refusal.data["reason"].startswith(reason)
    assert decision.case.review == case.review
    assert decision.case.department == ""


def test_confirmation_without_a_department_is_refused() -> None:
    opened = decide(None, small_opening(), RULEBOOK, NOW).case
    data = {"by": "triage", "department": "unassigned", "review": "confidence", "guesses": [{**GUESSES[2], "value": "moved_away"}]}
    case = decide(opened, ApplyDecision("route_proposed", november_micros("09 09:00"), data, "triage"), RULEBOOK, NOW).case
    [refusal] = act(case, "decide_review", confirm=True).events
    assert refusal.data["reason"].startswith("department is missing")


def test_second_decision_and_decision_without_review_are_refused() -> None:
    case = act(proposed(), "decide_review", confirm=True).case
    for subject in (case, decide(None, small_opening(), RULEBOOK, NOW).case):
        [refusal] = act(subject, "decide_review", "09 12:00", confirm=True).events
        assert refusal.data["reason"].startswith("the case is not up for review")


@pytest.mark.parametrize("role", ["complainant", "system"])
def test_only_roles_that_people_hold_decide(role: str) -> None:
    [refusal] = act(proposed(), "decide_review", role=role, confirm=True).events
    assert (refusal.type, refusal.data["rule"]) == ("action_refused", "who_may_act")


def test_permission_of_reassign_holds_for_a_review_that_reassigns() -> None:
    case = proposed("audit", event="routed", department="works")
    [refusal] = act(case, "decide_review", role="chief", department="gardens").events
    assert refusal.data["reason"] == "chief may not reassign; officer or boss may"
    assert types(act(case, "decide_review", role="chief", confirm=True).events)[0] == "review_decided"


def test_accused_does_not_decide() -> None:
    case = proposed()
    case.complaint = {**case.complaint, "against": ["wu"]}
    [refusal] = act(case, "decide_review", confirm=True).events
    assert refusal.data["rule"] == "accused_left_out"


@pytest.mark.parametrize(("action", "data"), [("route", {"department": "works"}), ("withdraw", {}), ("refuse", {"reason": "not ours"})])
def test_route_by_a_person_and_the_end_of_the_case_end_the_review(action: str, data: dict[str, Any]) -> None:
    decision = act(proposed(), action, **data)
    assert "action_refused" not in types(decision.events)
    assert decision.case.review == {}


def test_clock_of_the_procedure_reminds_and_then_asks_the_line_above() -> None:
    late = decide(proposed(), TakeAction("follow_up", november_micros("14 09:00"), "officer", "wu", {}), RULEBOOK, NOW)
    reached = [
        (event.type, event.data.get("role", "")) for event in late.events if event.type in ("reminded", "clock_breached", "escalated")
    ]
    assert [name for name, _ in reached][:2] == ["reminded", "clock_breached"]
    assert ("escalated", "boss") in reached
    in_time = act(proposed(), "decide_review", confirm=True).case
    silent = decide(in_time, TakeAction("follow_up", november_micros("14 09:00"), "officer", "wu", {}), RULEBOOK, NOW)
    assert types(silent.events) == ["followed_up"]


@pytest.mark.parametrize("data", [{"confirm": True}, {"department": "gardens", "labels": {"urgency": "low"}, "text": "x"}, {}])
def test_decision_is_replayed_from_its_ledger(data: dict[str, Any]) -> None:
    case = proposed()
    action = TakeAction("decide_review", november_micros("09 10:00"), "officer", "wu", data)
    decision = decide(case, action, RULEBOOK, NOW)
    recorded = to_recorded_events(action, decision.events, decision.case, RULEBOOK, from_micros(NOW))
    again = decide(case, reconstruct_input(recorded, RULEBOOK.procedure), RULEBOOK, NOW)
    assert [(e.type, e.at, e.data) for e in again.events] == [(e.type, e.at, e.data) for e in decision.events]
    assert again.case == decision.case


def test_everybody_organisation_takes_any_department() -> None:
    book = rulebook(open_organisation())
    decision = decide(proposed(), TakeAction("decide_review", november_micros("09 10:00"), "officer", "wu", {"confirm": True}), book, NOW)
    assert decision.case.department == "works"


def test_only_roles_that_may_decide_take_a_review() -> None:
    case, at = proposed(), november_micros("09 10:00")
    assert may_decide_review(case, RULEBOOK, ["officer"], at)
    assert not may_decide_review(case, RULEBOOK, ["complainant", "system"], at)
    assert not may_decide_review(case, RULEBOOK, [], at)
    named = PROCEDURE.replace("actions:", "actions:\n  decide_review: [{by: boss}, {by: chief, when: case.level > 0}]")
    assert [may_decide_review(case, rulebook(procedure=named), [role], at) for role in ("boss", "officer", "chief")] == [True, False, False]
    assert may_decide_review(case, rulebook(procedure=named), ["officer", "boss"], at)
