"""The fields of every event with their type's empty value, as rules read them under `event` and `last.<event>`."""

import types
from datetime import UTC, datetime
from typing import Any, Literal, Union, get_args, get_origin

from shared.contracts.base import Instant
from shared.contracts.events import EVENT_CLASSES

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EMPTY: dict[Any, Any] = {str: "", bool: False, int: 0, float: 0.0}


def _empty_value(annotation: Any) -> Any:
    origin = get_origin(annotation)
    if annotation is Instant:
        return EPOCH
    if origin in (Union, types.UnionType):
        return _empty_value(next(arg for arg in get_args(annotation) if arg is not type(None)))
    if origin is Literal:
        return ""
    if origin is not None and origin not in (list, dict):
        return _empty_value(get_args(annotation)[0])
    return {list: [], dict: {}}.get(origin or annotation, _EMPTY.get(annotation, ""))


def _empty_fields(name: str) -> dict[str, Any]:
    fields = {(info.alias or field): _empty_value(info.annotation) for field, info in EVENT_CLASSES[name].model_fields.items()}
    return {**fields, "at": EPOCH, "day": ""}


EMPTY_EVENT_FIELDS: dict[str, dict[str, Any]] = {name: _empty_fields(name) for name in EVENT_CLASSES}
"""Event id → field → empty value; `day` is the date of `at` in the calendar's zone, as 2026-09-24."""

EMPTY_FIELDS_OF_ANY_EVENT: dict[str, Any] = {field: empty for fields in EMPTY_EVENT_FIELDS.values() for field, empty in fields.items()}
"""Every field that some event has: what `event` offers where the event at hand is not known beforehand."""
