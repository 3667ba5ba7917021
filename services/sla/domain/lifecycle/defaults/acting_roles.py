"""Default permissions: the actions of the roles `complainant` and `system`, which no person of the organisation holds."""

from __future__ import annotations

from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.defaults.action_refusal import ActionRefusal
from shared.procedures.model.effects import role_tuple

RULE = "who_may_act"
ACTIONS_BY_ROLE: dict[str, frozenset[str]] = {
    "complainant": frozenset({"amend", "urge", "supplement", "rate", "withdraw", "reopen"}),
    "system": frozenset({"register", "amend", "supplement", "link"}),
}
"""Role → the actions that it may take without being named by the procedure."""


def may_not_act(builder: DecisionBuilder, action: str, role: str) -> ActionRefusal | None:
    """The refusal of an act of handling by the complainant or by a system, unless the procedure names that role for it."""
    # A chat robot that signs as the complainant must not stop the clock of the first answer.
    allowed = ACTIONS_BY_ROLE.get(role)
    if allowed is None or action in allowed:
        return None
    permissions = builder.rulebook.permissions_by_action.get(action, ())
    if any(permission.rule.by is not None and role in role_tuple(permission.rule.by) for permission in permissions):
        return None
    return ActionRefusal(
        f"role: {role} may not {action}; a role that a person holds has to, or the procedure has to name {role}", rule=RULE
    )
