"""Refuses to verify what was not reported or handled, and to carry out measures that were not approved."""

from __future__ import annotations

from typing import Any

from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.defaults.action_refusal import ActionRefusal
from services.sla.domain.lifecycle.defaults.submissions import REVIEW
from services.sla.domain.lifecycle.defaults.waivers import waived

NEEDS_OBJECT, AS_APPROVED = "verify_needs_its_object", "carried_out_as_approved"
_VERIFIED_BY_DEFAULT = ("handled",)
_CARRIES_OUT = frozenset({"start_work", "handle"})


def lacks_object(builder: DecisionBuilder, action: str, data: dict[str, Any]) -> ActionRefusal | None:
    """The refusal to verify where there is nothing to verify, and to carry out measures that await their approval."""
    if action == "verify" and not waived(builder, action, "verify_needs_its_object", data):
        return _nothing_to_verify(builder, data)
    if action in _CARRIES_OUT and _unapproved(builder) and not waived(builder, action, "carried_out_as_approved", data):
        return ActionRefusal(f"{action}: the latest measures are not approved; have them approved first", rule=AS_APPROVED)
    return None


def _nothing_to_verify(builder: DecisionBuilder, data: dict[str, Any]) -> ActionRefusal | None:
    declared = [
        event
        for permission in builder.rulebook.permissions_by_action.get("verify", ())
        if builder.holds(permission.when, data)
        for event in permission.rule.decides_on
    ]
    objects = tuple(declared) or _VERIFIED_BY_DEFAULT
    if any(builder.case.count.get(event, 0) for event in objects):
        return None
    return ActionRefusal(f"verify: there is nothing to verify yet; it comes after {' or '.join(objects)}", rule=NEEDS_OBJECT)


def _unapproved(builder: DecisionBuilder) -> bool:
    """Whether measures were submitted that the roles which the procedure names for it have not approved, nor passed in a review."""
    case = builder.case
    if case.approved or case.count.get("measures_submitted", 0) == 0 or case.decisions.get(REVIEW) == "review_passed":
        return False
    return any(permission.rule.by is not None for permission in builder.rulebook.permissions_by_action.get("approve", ()))
