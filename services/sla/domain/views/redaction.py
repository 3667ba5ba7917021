"""What a department sees of an event of its case: everything but contact data and what the procedure keeps confidential."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Department

ALWAYS_HIDDEN = frozenset({"contact"})
"""Never on a department's topic: sealed contact data."""
NOT_FOR_DEPARTMENTS = frozenset({"notification_requested", "notification_sent", "notification_delivered"})
"""Events that concern the sending of messages alone."""
ROUTING_EVENTS = frozenset({"routed", "reassigned"})
"""Events that bring a case to a department."""


def redact(event: dict[str, Any], hidden: tuple[str, ...]) -> dict[str, Any]:
    """The event without hidden fields; `hidden` names fields of the event or of the complaint, e.g. `text` or `complainant.name`."""
    paths = _hidden_paths(hidden)
    shown = _remove_paths(event, paths)
    for part in ("complaint", "data"):
        if isinstance(shown.get(part), dict):
            shown[part] = _remove_paths(shown[part], paths)
    return shown


def hidden_fields(procedure: Procedure, department: Department | None) -> tuple[str, ...]:
    """The fields that the procedure keeps confidential and the department may not see."""
    if not procedure.confidentiality:
        return ()
    sees = frozenset(department.sees) if department is not None else frozenset()
    return tuple(field for entry in procedure.confidentiality for field in entry.hidden if field not in sees)


@lru_cache(maxsize=1024)
def _hidden_paths(hidden: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(path.removeprefix("complaint.").split(".")) for path in (*hidden, *ALWAYS_HIDDEN))


def _remove_paths(data: dict[str, Any], paths: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    shown = dict(data)
    for path in paths:
        if len(path) == 1:
            shown.pop(path[0], None)
        elif isinstance(shown.get(path[0]), dict):
            shown[path[0]] = _remove_paths(shown[path[0]], (path[1:],))
    return shown
