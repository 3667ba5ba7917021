"""The empty value of each field of each event, which rules read under `last.<event>` if the event has not happened."""

import types
from datetime import UTC, datetime
from typing import Any, Literal, Union, get_args, get_origin

from shared.contracts.base import Instant
from shared.contracts.events import EVENT_CLASSES

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""An instant that is not set: a null in its place could not be compared with an instant in CEL."""
_EMPTY_VALUES: dict[Any, Any] = {str: "", bool: False, int: 0, float: 0.0, list: [], dict: {}}


def _empty_value(annotation: Any) -> Any:
    origin = get_origin(annotation)
    if annotation is Instant:
        return EPOCH
    if origin in (Union, types.UnionType):
        return _empty_value(next(arg for arg in get_args(annotation) if arg is not type(None)))
    if origin is Literal:
        return ""
    if origin is not None and origin not in _EMPTY_VALUES:  # Annotated
        return _empty_value(get_args(annotation)[0])
    return _EMPTY_VALUES.get(origin or annotation, "")


def _empty_fields(event_id: str) -> dict[str, Any]:
    fields = {(info.alias or name): _empty_value(info.annotation) for name, info in EVENT_CLASSES[event_id].model_fields.items()}
    return {**fields, "at": EPOCH, "day": ""}


EMPTY_EVENT_FIELDS: dict[str, dict[str, Any]] = {event_id: _empty_fields(event_id) for event_id in EVENT_CLASSES}
"""Event id → field → empty value; `day` is the date of `at` in the calendar's time zone, as `2026-09-24`."""

EMPTY_FIELDS_OF_ANY_EVENT: dict[str, Any] = {name: empty for fields in EMPTY_EVENT_FIELDS.values() for name, empty in fields.items()}
"""Field → empty value, for the fields of all events: what `event` offers to a condition that applies to events of any type."""
