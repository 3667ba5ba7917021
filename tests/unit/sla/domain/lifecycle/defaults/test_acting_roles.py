"""*Who may act, by default* (vocabulary.md)."""

import pytest

from services.sla.domain.lifecycle.defaults.acting_roles import ACTIONS_BY_ROLE
from shared.contracts.actions import ACTION_DEFINITIONS
from tests.unit.sla.timeline import TimelineRow, event_lines, run_steps

PROCEDURE = """
clocks: []
actions:
  contact: {by: [officer, system], clause: "1"}
  verify: {by: complainant, clause: "2"}
  handle: {by: boss, clause: "3"}
"""
ENDED = "09 09:30 close boss"


def outcome(*steps: str) -> TimelineRow:
    """The last action's event."""
    return next(row for row in reversed(run_steps(PROCEDURE, *steps)) if row.get("role") in ("complainant", "system"))


@pytest.mark.parametrize("role", ["complainant", "system"])
@pytest.mark.parametrize(
    "action", ["answer", "contact", "sign", "submit_measures", "approve", "handle", "call_back", "evaluate", "close", "accept", "route"]
)
def test_acts_of_handling_are_refused_from_complainant_and_system(action: str, role: str) -> None:
    named = (action, role) == ("contact", "system")
    data = " department=a" if action == "route" else ""
    assert (outcome(f"09 10:00 {action} {role}{data}")["event"] == "action_refused") is not named


@pytest.mark.parametrize(("action", "event"), [("amend", "amended"), ("withdraw", "withdrawn")])
def test_complainant_may_amend_and_withdraw(action: str, event: str) -> None:
    assert outcome(f"09 10:00 {action} complainant")["event"] == event


def test_system_may_amend_but_not_withdraw() -> None:
    assert outcome("09 10:00 amend system")["event"] == "amended"
    assert outcome("09 10:00 withdraw system")["event"] == "action_refused"


def test_procedure_may_name_the_complainant_or_the_system() -> None:
    assert outcome("09 09:30 handle boss", "09 10:00 verify complainant")["event"] == "verified"
    assert outcome("09 10:00 contact system")["event"] == "contacted"


def test_refusal_names_the_procedures_clause_before_the_default() -> None:
    refused = outcome("09 10:00 handle complainant")
    assert (refused["rule"], refused["clause"]) == ("handle", "3")
    assert outcome("09 10:00 answer complainant")["rule"] == "who_may_act"


def test_what_the_engine_does_is_no_action_and_not_concerned() -> None:
    deemed = """
clocks:
- {id: d, clause: "1", starts: measures_submitted, stops: measures_approved, owner: boss,
   due: [{within: 1h, do: [{deem: measures_deemed_approved}]}]}
"""
    rows = run_steps(deemed, "09 10:00 submit_measures officer")
    assert event_lines(rows, "measures_deemed_approved") == ["09 11:00 measures_deemed_approved d.1"]


def test_the_defaults_name_actions_of_the_vocabulary() -> None:
    assert set().union(*ACTIONS_BY_ROLE.values()) <= {*ACTION_DEFINITIONS, "register", "urge", "supplement", "rate"}
