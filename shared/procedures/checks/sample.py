"""Two cases that nobody had: one in which nothing is set, one in which everything is; conditions are tried on both."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.contracts.events.fields import ANY_EVENT_FIELDS, EPOCH, EVENT_FIELDS
from shared.procedures.expressions.conditions import Path, Read
from shared.procedures.model.facts import default
from shared.procedures.model.procedure import Procedure

_FALSE = frozenset({"open", "approved", "accepted", "suspended", "anonymous"})
_LISTS = frozenset({"cooperating", "links", "against", "attachments", "missing", "has"})
_INSTANTS = frozenset({"received_at", "registered_at", "happened_at", "agreed_date"})
_PARAMETERS: dict[str, Any] = {"int": 0, "number": 0.0, "text": "", "duration": "1d"}


def reader(procedure: Procedure, *, event: str | None = None, filled: bool = False, given: Mapping[Path, Any] | None = None) -> Read:
    """Reads paths of a sample case: all empty (facts at their defaults), or all filled; `given` says otherwise for single paths."""
    special = given or {}

    def read(path: Path) -> Any:
        if path in special:
            return special[path]
        empty = _empty(procedure, path, event)
        return _fill(empty) if filled else empty

    return read


def _empty(procedure: Procedure, path: Path, event: str | None) -> Any:
    match path[0]:
        case "facts":
            return default(procedure.facts[path[1]])
        case "parameters":
            return _PARAMETERS[procedure.parameters[path[1]].type]
        case "event":
            return EVENT_FIELDS[event][path[1]] if event else ANY_EVENT_FIELDS[path[1]]
        case "last":
            return EVENT_FIELDS[path[1]][path[2]]
        case "count":
            return 0
    return _of_case(path[-1])


def _of_case(name: str) -> Any:
    if name in _LISTS:
        return []
    if name in _INSTANTS:
        return EPOCH
    return 0 if name == "level" else False if name in _FALSE else ""


def _fill(empty: Any) -> Any:
    if isinstance(empty, datetime):
        return datetime(2026, 9, 24, tzinfo=UTC)
    if isinstance(empty, list):
        return ["x"]
    return {bool: True, int: 1, float: 1.0, str: "1d"}.get(type(empty), empty)
