"""Finds the default rules of the engine that a procedure sets aside for an action."""

from __future__ import annotations

from typing import Any

from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from shared.procedures.model.actions.action_rules import EngineDefault


def waived(builder: DecisionBuilder, action: str, default: EngineDefault, data: dict[str, Any]) -> bool:
    """Whether a rule of the procedure that applies to the case sets the default aside."""
    return any(
        default in permission.rule.waives and builder.holds(permission.when, data)
        for permission in builder.rulebook.permissions_by_action.get(action, ())
    )
