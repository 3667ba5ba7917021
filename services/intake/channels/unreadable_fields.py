"""Keeps optional fields that cannot be read out of a submission, cuts texts that are too long, and names both."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

PRESENT_FIELDS = ("text", "received_at")
"""Only these refuse a submission if they are missing or cannot be read."""
CUT_MARK = "…"
_NAME_LENGTH = 200
_MAX_NAMES = 50
_KEY_LOCATION = "[key]"
# Half of a reference or of an address is that of somebody else.
_NEVER_CUT = frozenset({"source", "external_id", "phone", "email", "id_number"})


def without_absent(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without nulls and empty texts, which mean absent."""
    present = {name: value for name, value in document.items() if not _is_absent(value)}
    for name in ("complainant", "facts"):
        if isinstance(value := present.get(name), dict):
            present[name] = {key: item for key, item in value.items() if not _is_absent(item)}
    return present


def leave_out_faulty(document: Mapping[str, Any], faults: Sequence[ErrorDetails], unreadable: dict[str, None]) -> dict[str, Any]:
    """A copy without the fields that the faults of pydantic name; adds the names of the fields to `unreadable`, a set in order."""
    changed = {name: dict(v) if isinstance(v, dict) else list(v) if isinstance(v, list) else v for name, v in document.items()}
    # From the last item of a list to the first, so that the earlier indices stay right.
    for fault in sorted(faults, key=lambda item: [str(part).zfill(4) for part in item["loc"]], reverse=True):
        _repair(changed, fault)
    for fault in faults:
        if len(unreadable) < _MAX_NAMES:
            unreadable[_field_name(fault["loc"])] = None
    return changed


def _repair(document: dict[str, Any], fault: ErrorDetails) -> None:
    name, *rest = fault["loc"]
    value = document.get(str(name))
    if fault["type"] == "too_long" and not rest:
        limit = fault["ctx"]["max_length"]
        document[str(name)] = dict(list(value.items())[:limit]) if isinstance(value, dict) else (value or [])[:limit]
    elif name == "facts" and rest and isinstance(value, dict) and _is_fault_of_other_branch(value.get(str(rest[0])), fault):
        return
    elif not rest or not isinstance(value, dict | list):
        _cut_or_remove(document, name, fault)
    else:
        _cut_or_remove(value, rest[0], fault)


def _cut_or_remove(container: Any, key: int | str, fault: ErrorDetails) -> None:
    """Cut a text that is too long; remove anything else, an item of a list by its index."""
    if isinstance(container, list):
        if isinstance(key, int) and key < len(container):
            container[key : key + 1] = [] if fault["type"] != "string_too_long" else [_cut(container[key], fault)]
    elif isinstance(value := container.get(key), str) and _is_too_long(fault) and key not in _NEVER_CUT:
        container[key] = _cut(value, fault)
    else:
        container.pop(key, None)


def _is_fault_of_other_branch(fact: Any, fault: ErrorDetails) -> bool:
    """Whether a text is no fact only because it is too long: pydantic also reports that it is neither a number nor an instant."""
    return isinstance(fact, str) and fault["loc"][-1] != _KEY_LOCATION and not _is_too_long(fault)


def _is_too_long(fault: ErrorDetails) -> bool:
    return fault["type"] == "string_too_long" and fault["loc"][-1] != _KEY_LOCATION


def _cut(text: str, fault: ErrorDetails) -> str:
    return text[: fault["ctx"]["max_length"] - len(CUT_MARK)] + CUT_MARK


def _field_name(location: tuple[int | str, ...]) -> str:
    """The path of the sender's field: pydantic adds the branch of a union, and an index names no field."""
    return ".".join(str(part) for part in location[:2] if not isinstance(part, int))[:_NAME_LENGTH]


def _is_absent(value: Any) -> bool:
    return value is None or value == ""
