"""The accused are left out: they and those who report to them are neither assigned to their case nor decide on it."""

from __future__ import annotations

from typing import Any

from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.defaults.action_refusal import ActionRefusal
from services.sla.domain.lifecycle.findings.rules import FINDING_ACTIONS
from services.sla.domain.lifecycle.notifications import accused, reachable_role, role_holders

RULE = "accused_left_out"
_DECIDING_ACTIONS = frozenset(
    {
        *("approve", "approve_with_demands", "reject", "review", "sign_off", "grant_extension", "refuse_extension", "verify"),
        *("refuse", "close", "decide_review"),
        *FINDING_ACTIONS,
    }
)
"""Actions that decide on measures or on the case itself: who ends the complaint against himself decides on it too."""


def accused_takes_part(builder: DecisionBuilder, action: str, data: dict[str, Any]) -> ActionRefusal | None:
    """The refusal of a decision by an accused person, of assigning the case to one, and of naming one to the customer."""
    excluded = accused(builder)
    if not excluded:
        return None
    if action in _DECIDING_ACTIONS and excluded & {data.get("actor", ""), *_role_as_person(builder, data)}:
        return ActionRefusal(f"actor: the complaint is about the actor or his superior; the role above has to {action}", rule=RULE)
    # Whom the customer talks to handles the case, whether assigned or named in the contact.
    if action in ("assign", "contact") and data.get("person") in excluded:
        return ActionRefusal("person: the complaint is about this person or his superior; name another one", rule=RULE)
    if action == "assign":
        role = data.get("to_role", "")
        if role and not data.get("person") and not role_holders(builder, role, data["at"]) and _has_holder(builder, role, data["at"]):
            return ActionRefusal("role: all who hold it are complained about or report to the accused; name the role above", rule=RULE)
    return None


def stands_in(builder: DecisionBuilder, role: str, allowed: tuple[str, ...], at: int) -> bool:
    """Whether a role is the one above of an allowed role whose holders are all left out."""
    if not accused(builder):
        return False
    return any(_has_holder(builder, each, at) and reachable_role(builder, each, at) == role for each in allowed)


def _has_holder(builder: DecisionBuilder, role: str, at: int) -> bool:
    case = builder.case
    return bool(builder.rulebook.organisation.role_holders(role, case.department or case.proposed, builder.worktime.to_datetime(at)))


def _role_as_person(builder: DecisionBuilder, data: dict[str, Any]) -> tuple[str, ...]:
    return (data.get("role", ""),) if builder.rulebook.organisation.everyone else ()
