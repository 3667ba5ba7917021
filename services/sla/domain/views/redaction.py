"""Removes contact data and the procedure's confidential fields from an event before a department receives it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Department

ALWAYS_HIDDEN = frozenset({"contact"})
"""Fields that no department receives: sealed contact data."""
NOT_FOR_DEPARTMENTS = frozenset({"notification_requested", "notification_sent", "notification_delivered"})
"""Events that no department receives, since they only concern the sending of messages."""
ROUTING_EVENTS = frozenset({"routed", "reassigned"})
"""Events that bring a case to a department."""


def redact(event: dict[str, Any], hidden: tuple[str, ...]) -> dict[str, Any]:
    """The event without hidden fields; `hidden` names fields of the event or of its complaint, such as `text` or `complainant.name`."""
    paths = _hidden_paths(hidden)
    redacted = _remove_paths(event, paths)
    for part in ("complaint", "data"):
        if isinstance(redacted.get(part), dict):
            redacted[part] = _remove_paths(redacted[part], paths)
    return redacted


def hidden_fields(procedure: Procedure, department: Department | None) -> tuple[str, ...]:
    """The fields that the procedure keeps confidential, except those that the department may see."""
    if not procedure.confidentiality:
        return ()
    visible = frozenset(department.sees) if department is not None else frozenset()
    return tuple(field for entry in procedure.confidentiality for field in entry.hidden if field not in visible)


# Once for each combination of hidden fields instead of once for each event and department.
@lru_cache(maxsize=1024)
def _hidden_paths(hidden: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(path.removeprefix("complaint.").split(".")) for path in (*hidden, *ALWAYS_HIDDEN))


def _remove_paths(fields: dict[str, Any], paths: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    remaining = dict(fields)
    for path in paths:
        if len(path) == 1:
            remaining.pop(path[0], None)
        elif isinstance(remaining.get(path[0]), dict):
            remaining[path[0]] = _remove_paths(remaining[path[0]], (path[1:],))
    return remaining
