"""The fields of an action's form, from the JSON schema of the contract and what sla states about the action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from shared.contracts.actions import ACTION_DATA_FIELDS, ACTION_DEFINITIONS, ActionData
from shared.contracts.events import EVENT_CLASSES, CaseEvent

InputKind = Literal["line", "text", "lines", "pairs", "text_pairs", "instant", "number", "choice", "yes_no"]
_LONGEST_LINE: Final = 500
# The event names these data otherwise than the action.
_RENAMED: Final = {"extend_by": "by", "to_role": "role"}
_LATER_EVENTS: Final = {"answer": ("answered",), "classify": ("reclassified",)}


@dataclass(frozen=True, slots=True)
class ActionField:
    """One field: `options` are the accepted values, empty for any; `one_of` marks fields of which at least one is required."""

    name: str
    kind: InputKind
    required: bool = False
    one_of: bool = False
    options: tuple[str, ...] = ()
    longest: int = 0


@cache
def data_names(action: str) -> tuple[str, ...]:
    """The data that an action may bring: those that its events carry on; raises `KeyError` for an unknown action."""
    definition = ACTION_DEFINITIONS[action]
    events = [definition.event_id, definition.event_id_if_not_passed, *_LATER_EVENTS.get(action, ())]
    names = [info.alias or name for event in events if event for name, info in EVENT_CLASSES[event].model_fields.items()]
    carried = [_RENAMED.get(name, name) for name in names if name not in CaseEvent.model_fields]
    # `passed` chooses between two events and is in neither.
    outcome = ["passed"] if definition.event_id_if_not_passed else []
    wanted = dict.fromkeys([*definition.required_data, *definition.one_of, *outcome, *carried])
    return tuple(name for name in wanted if name in ACTION_DATA_FIELDS)


def action_fields(action: str, permission: Mapping[str, Any], choices: Mapping[str, Sequence[str]]) -> list[ActionField]:
    """The fields of the form, required ones first; `permission` is sla's entry on the action, `choices` the known values of a field."""
    definition = ACTION_DEFINITIONS[action]
    needs = {*definition.required_data, *permission["needs"]} | ({"passed"} if definition.event_id_if_not_passed else set())
    asked = dict.fromkeys([*data_names(action), *(name for name in (*needs, *permission["depends_on"]) if name in ACTION_DATA_FIELDS)])
    known = {**choices, "reason": permission["reasons"], "clock": permission["clocks"]}
    fields = [_field(name, name in needs, name in definition.one_of, tuple(known.get(name, ()))) for name in asked]
    return sorted(fields, key=lambda field: not (field.required or field.one_of))


def _field(name: str, required: bool, one_of: bool, options: tuple[str, ...]) -> ActionField:
    schema = _schemas()[name]
    variants = [schema, *schema.get("anyOf", ())]
    types = {variant.get("type") for variant in variants}
    values = [value for variant in variants for value in (*variant.get("enum", ()), variant.get("const", "")) if value]
    longest = max((int(variant.get("maxLength", 0)) for variant in variants), default=0)
    kind: InputKind
    if values or (options and "array" not in types):
        kind = "choice"
    elif any(variant.get("format") == "date-time" for variant in variants):
        kind = "instant"
    elif "array" in types:
        kind = "lines"
    elif "object" in types:
        is_text = isinstance(values_of := schema.get("additionalProperties"), dict) and values_of.get("type") == "string"
        kind = "text_pairs" if is_text else "pairs"
    elif types & {"integer", "number"}:
        kind = "number"
    elif "string" not in types and "boolean" in types:
        kind = "yes_no"
    else:
        kind = "text" if longest > _LONGEST_LINE else "line"
    return ActionField(name, kind, required, one_of, tuple(values) or options, longest)


@cache
def _schemas() -> Mapping[str, Mapping[str, Any]]:
    properties: Mapping[str, Mapping[str, Any]] = ActionData.model_json_schema(by_alias=True)["properties"]
    return properties
