"""What somebody may do with a case now: as the decision on each action says it."""

from typing import Any

import pytest

from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.decide import decide
from services.sla.domain.lifecycle.inputs import TakeAction
from services.sla.domain.lifecycle.permitting.permitted_actions import ActionPermission, permitted_actions
from tests.unit.sla.timeline import november_micros, small_opening, small_rulebook

RULEBOOK = small_rulebook("""
clocks:
  - {id: first_answer, clause: "3.1", starts: [registered], stops: [first_answered], due: [{within: 2d, do: [breach]}]}
  - {id: window, clause: "3.2", starts: [registered], stops: [closed], due: [{within: 4d, do: [breach]}]}
actions:
  approve: {by: [boss], clause: "4.1"}
  approve_with_demands: {by: [boss], clause: "4.1"}
  close: {requires: count.handled > 0, clause: "5.2", reason: nothing was handled}
  suspend: {by: [officer, boss], reasons: [weather, customer], clause: "6.1"}
  contact: {at_most: 1, clause: "7.1"}
  survey: {by: [officer], report_needs: {text: any, attachments: image}, clause: "7.2"}
  evaluate: {requires: event.text != "", clause: "8.1"}
  rate: {when: event.score < 60, by: [boss], clause: "8.2"}
""")
ACTOR = "wu"


def opened(*actions: tuple[str, str, dict[str, Any]]) -> Case:
    case = decide(None, small_opening(), RULEBOOK, november_micros("09 10:00")).case
    for number, (action, role, data) in enumerate(actions):
        at = november_micros("10 10:00") + number
        decision = decide(case, TakeAction(action, at, role, ACTOR, data), RULEBOOK, at)
        assert [event.type for event in decision.events if event.type == "action_refused"] == []
        case = decision.case
    return case


def permission(case: Case, action: str, *roles: str, day: str = "10 12:00") -> ActionPermission:
    found = {each.action: each for each in permitted_actions(case, RULEBOOK, roles, ACTOR, november_micros(day))}
    return found[action]


def test_rule_of_the_procedure_names_its_clause_and_the_roles_that_may() -> None:
    case = opened(("submit_measures", "officer", {"text": "x"}))
    forbidden = permission(case, "approve", "officer")
    assert forbidden.refusal is not None
    assert (forbidden.roles, forbidden.refusal.clauses) == ((), ["4.1"])
    assert permission(case, "approve", "officer", "boss").roles == ("boss",)


def test_default_of_the_engine_is_named_by_its_rule() -> None:
    refusal = permission(opened(), "approve", "boss").refusal
    assert refusal is not None
    assert (refusal.rule, refusal.clauses) == ("one_decision", [])


def test_state_of_the_case_decides() -> None:
    refusal = permission(opened(), "close", "officer").refusal
    assert refusal is not None
    assert (refusal.reason, refusal.clauses) == ("nothing was handled", ["5.2"])
    assert permission(opened(("handle", "officer", {"text": "x"})), "close", "officer").refusal is None
    assert permission(opened(), "reopen", "officer").refusal is not None


def test_accepted_reasons_and_needed_contents_are_listed_and_forbid_nothing() -> None:
    case = opened()
    assert permission(case, "suspend", "officer").reasons == ("weather", "customer")
    assert permission(case, "survey", "officer").needs == ("text", "attachments")
    assert permission(case, "record_liability", "officer").one_of == ("persons", "units")


def test_rule_that_reads_data_of_the_action_is_decided_when_they_are_there() -> None:
    case = opened()
    assert (permission(case, "evaluate", "officer").refusal, permission(case, "evaluate", "officer").depends_on) == (None, ("text",))
    assert (permission(case, "rate", "officer").refusal, permission(case, "rate", "officer").depends_on) == (None, ("score",))


def test_action_that_was_taken_often_enough_is_forbidden() -> None:
    assert permission(opened(), "contact", "officer").refusal is None
    refusal = permission(opened(("contact", "officer", {"text": "x"})), "contact", "officer").refusal
    assert refusal is not None
    assert refusal.clauses == ["7.1"]


def test_extension_names_the_running_clocks() -> None:
    asked = permission(opened(("answer", "officer", {"text": "x"})), "request_extension", "officer")
    assert (asked.refusal, asked.clocks) == (None, ("window",))
    # A request has to come by the due instant: on the 12th the first answer is late, the window is not.
    late = permission(opened(), "request_extension", "officer", day="12 12:00")
    assert late.clocks == ("window",)
    assert permission(opened(), "grant_extension", "boss").refusal is not None


def test_action_is_listed_as_the_one_that_it_amounts_to() -> None:
    listed = {each.action for each in permitted_actions(opened(), RULEBOOK, ["officer"], ACTOR, november_micros("10 12:00"))}
    assert "route" in listed
    routed = opened(("route", "officer", {"department": "works"}))
    listed = {each.action for each in permitted_actions(routed, RULEBOOK, ["officer"], ACTOR, november_micros("10 12:00"))}
    assert "route" not in listed
    assert "reassign" in listed


def test_who_holds_no_role_may_do_nothing() -> None:
    assert all(each.refusal is not None for each in permitted_actions(opened(), RULEBOOK, [], ACTOR, november_micros("10 12:00")))


GENEROUS: dict[str, Any] = {
    "text": "x",
    "reason": "weather",
    "department": "works",
    "person": "wu",
    "date": november_micros("25 10:00"),
    "score": 90,
    "cause": "x",
    "persons": ["a"],
    "units": ["b"],
    "sanction": "warning",
    "compensation": "money",
    "household": "h",
    "agreed": True,
    "concealment": "late",
    "place": "x",
    "attachments": ["a.jpg"],
    "result": "reached",
    "to": "c",
    "outcome": "satisfied",
    "by": "1d",
}
LACK_DATA = {"link", "unlink", "decide_review", "request_extension", "grant_extension", "refuse_extension"}
"""Actions of which the data above are refused before anything else."""
STATES: dict[str, tuple[tuple[str, str, dict[str, Any]], ...]] = {
    "opened": (),
    "measures": (("submit_measures", "officer", {"text": "x"}),),
    "approved": (("submit_measures", "officer", {"text": "x"}), ("approve", "boss", {})),
    "handled": (("handle", "officer", {"text": "x"}),),
    "closed": (("handle", "officer", {"text": "x"}), ("close", "officer", {})),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("role", ["officer", "boss", "complainant", "system"])
def test_what_is_forbidden_is_refused_with_the_same_words_whatever_it_brings(state: str, role: str) -> None:
    case, at = opened(*STATES[state]), november_micros("10 12:00")
    for each in permitted_actions(case, RULEBOOK, [role], ACTOR, at):
        data = {"clock": "window", **GENEROUS} if "extension" in each.action else dict(GENEROUS)
        decision = decide(case, TakeAction(each.action, at, role, ACTOR, data), RULEBOOK, at)
        refused = [event for event in decision.events if event.type == "action_refused"]
        if each.refusal is not None and not each.clocks:
            assert refused, each.action
            # Wrong data are refused before the role is looked at, by no rule.
            assert refused[0].data["rule"] in ("", each.refusal.rule) or each.action in LACK_DATA, each.action
