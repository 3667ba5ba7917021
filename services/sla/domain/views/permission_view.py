"""Permitted actions as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from services.sla.domain.lifecycle.permitting.permitted_actions import ActionPermission


def permission_document(
    case: str, at: datetime, zone: tzinfo, roles: Sequence[str], permissions: Sequence[ActionPermission]
) -> dict[str, Any]:
    """The actions of a case for somebody who holds these roles on it."""
    return {"case": case, "at": at.astimezone(zone).isoformat(), "roles": list(roles), "actions": [_entry(each) for each in permissions]}


def _entry(permission: ActionPermission) -> dict[str, Any]:
    refusal = permission.refusal
    return {
        "action": permission.action,
        "permitted": refusal is None,
        "roles": list(permission.roles),
        "needs": list(permission.needs),
        "one_of": list(permission.one_of),
        "reasons": list(permission.reasons),
        "clocks": list(permission.clocks),
        "depends_on": list(permission.depends_on),
        "reason": "" if refusal is None else refusal.reason,
        "clauses": [] if refusal is None else list(refusal.clauses),
        "rule": "" if refusal is None else refusal.rule,
    }
