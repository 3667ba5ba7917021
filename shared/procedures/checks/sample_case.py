"""Sample cases on which conditions are evaluated to find type errors: an empty one, and one with all values set."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.contracts.events.empty_fields import EMPTY_EVENT_FIELDS, EMPTY_FIELDS_OF_ANY_EVENT, EPOCH
from shared.procedures.expressions.conditions import NamePath, NameReader
from shared.procedures.model.facts import fact_default
from shared.procedures.model.procedure import Procedure

_BOOL_NAMES = frozenset({"open", "approved", "accepted", "suspended", "anonymous", "overdue", "breached"})
_LIST_NAMES = frozenset({"cooperating", "links", "against", "attachments", "missing", "has"})
_INSTANT_NAMES = frozenset({"received_at", "registered_at", "happened_at", "agreed_date", "due_at", "ended_at"})
_DATE_NAMES = frozenset({"day", "received_day"})
_NUMBER_NAMES = frozenset({"level", "residents_agreed", "residents_disagreed"})
_PARAMETER_VALUES: dict[str, Any] = {"int": 0, "number": 0.0, "text": "", "duration": "1d"}


def sample_reader(
    procedure: Procedure, *, event_id: str | None = None, filled: bool = False, overrides: Mapping[NamePath, Any] | None = None
) -> NameReader:
    """A reader of names in a sample case, empty (facts at their defaults) or filled; `overrides` replaces single values.

    The reader raises `KeyError` for a name that does not exist, such as a field that the event does not have.
    """

    def read(path: NamePath) -> Any:
        if overrides and path in overrides:
            return overrides[path]
        empty = _empty_value(procedure, path, event_id)
        if filled and _is_date(procedure, path):
            return "2026-09-24"
        return _filled_value(empty) if filled else empty

    return read


def _is_date(procedure: Procedure, path: NamePath) -> bool:
    return path[-1] in _DATE_NAMES or (path[0] == "facts" and procedure.facts[path[1]].type == "date")


def _empty_value(procedure: Procedure, path: NamePath, event_id: str | None) -> Any:
    match path[0]:
        case "facts":
            return fact_default(procedure.facts[path[1]])
        case "parameters":
            return _PARAMETER_VALUES[procedure.parameters[path[1]].type]
        case "event":
            return EMPTY_EVENT_FIELDS[event_id][path[1]] if event_id else EMPTY_FIELDS_OF_ANY_EVENT[path[1]]
        case "last":
            return EMPTY_EVENT_FIELDS[path[1]][path[2]]
        case "count":
            return 0
        case "says":
            return False
    return _empty_case_value(path[-1])


def _empty_case_value(name: str) -> Any:
    if name in _LIST_NAMES:
        return []
    if name in _INSTANT_NAMES:
        return EPOCH
    return 0 if name in _NUMBER_NAMES else False if name in _BOOL_NAMES else ""


def _filled_value(empty: Any) -> Any:
    if isinstance(empty, datetime):
        return datetime(2026, 9, 24, tzinfo=UTC)
    if isinstance(empty, list):
        return ["x"]
    return {bool: True, int: 1, float: 1.0, str: "1d"}.get(type(empty), empty)
