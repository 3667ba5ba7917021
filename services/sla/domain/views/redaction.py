"""Removes contact data and confidential fields from events before they are published to a department."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from shared.procedures.access import hidden_from_department
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.wording import PLACEHOLDERS
from shared.procedures.organisation import Department

ALWAYS_HIDDEN = frozenset({"contact"})
"""Fields that are never published to a department: sealed contact data."""
# Without `notification_failed`: departments learn of failures, not of the routine (ADR 14).
NOT_FOR_DEPARTMENTS = frozenset({"notification_requested", "notification_sent", "notification_delivered"})
"""Events about the sending of messages, which are not published to departments."""
ROUTING_EVENTS = frozenset({"routed", "reassigned"})
"""Events that make a department responsible for a case; they are published with the complaint."""
_VALUE_FIELDS = {
    **{name: frozenset({placeholder.field}) for name, placeholder in PLACEHOLDERS.items() if placeholder.field},
    # The line is the title, else the beginning of the text.
    "matter": frozenset({"title", "text"}),
}
"""Value of a message → the fields of the complaint or of the event from which it is taken."""


def redact(event: dict[str, Any], hidden: tuple[str, ...]) -> dict[str, Any]:
    """The event without hidden fields; `hidden` names fields of the event or of the complaint, e.g. `text` or `complainant.name`."""
    paths = _hidden_paths(hidden)
    shown = _remove_paths(event, paths)
    for part in ("complaint", "data"):
        if isinstance(shown.get(part), dict):
            shown[part] = _remove_paths(shown[part], paths)
    if isinstance(shown.get("values"), dict):
        shown["values"] = _remove_values(shown["values"], frozenset(path[-1] for path in paths))
    return shown


def redact_view(document: dict[str, Any], hidden: tuple[str, ...]) -> dict[str, Any]:
    """The complainant's view without hidden fields: the matter, which repeats title or text, and what his steps state."""
    fields = frozenset(path[-1] for path in _hidden_paths(hidden))
    steps = [{name: value for name, value in step.items() if name not in fields} for step in document["steps"]]
    return {**document, "steps": steps, "matter": "" if fields & _VALUE_FIELDS["matter"] else document["matter"]}


def hidden_fields(procedure: Procedure, department: Department | None) -> tuple[str, ...]:
    """The confidential fields of the procedure that the department may not read."""
    return hidden_from_department(procedure, department)


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


def _remove_values(values: dict[str, Any], fields: frozenset[str]) -> dict[str, Any]:
    """The values of a message without those that repeat a hidden field, in merged requests too."""
    shown = {name: value for name, value in values.items() if not fields & _VALUE_FIELDS.get(name, frozenset())}
    if isinstance(shown.get("items"), list):
        shown["items"] = [_remove_values(item, fields) if isinstance(item, dict) else item for item in shown["items"]]
    return shown
