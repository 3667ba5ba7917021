"""Reads the data of an action from a form, and finds the fields that break the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

import orjson
from pydantic import ValidationError

from services.desk.forms import FormFields, first
from services.desk.pages.case.action_fields import ActionField
from shared.contracts.actions import Action

# Otherwise a field could name a path of the page's own fields, such as the CSRF token.
PREFIX = "data."
MISSING, NOT_A_PAIR, OTHER = "missing", "not_a_pair", "other"


class FieldFaultsError(Exception):
    """Fields of the form break the contract; `faults` maps each to the rule that it breaks."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("fields of the form are invalid")
        self.faults = faults


def typed_values(fields: Sequence[ActionField], form: FormFields) -> dict[str, str]:
    """The typed value of each field, to show it again."""
    return {field.name: first(form, PREFIX + field.name) for field in fields}


def read_action(case: str, action: str, fields: Sequence[ActionField], form: FormFields, zone: tzinfo) -> dict[str, Any]:
    """The body of the action for sla; fields left empty are left out. Raises `FieldFaultsError`."""
    faults: dict[str, str] = {}
    data: dict[str, Any] = {}
    for field in fields:
        typed = first(form, PREFIX + field.name).strip()
        if not typed:
            if field.required:
                faults[field.name] = MISSING
            continue
        try:
            data[field.name] = _read_value(field, typed, zone)
        except ValueError:
            faults[field.name] = NOT_A_PAIR
    alternatives = [field.name for field in fields if field.one_of]
    if alternatives and not any(name in data for name in alternatives):
        faults.setdefault(alternatives[0], "one_of")
    body = {"action": action, "role": first(form, "role"), "data": data}
    try:
        Action.model_validate({"case": case, **body})
    except ValidationError as error:
        for each in error.errors():
            location = each["loc"]
            name = str(location[1]) if len(location) > 1 and location[0] == "data" else "role"
            faults.setdefault(name, each["type"])
    if faults:
        raise FieldFaultsError(faults)
    return body


def _read_value(field: ActionField, typed: str, zone: tzinfo) -> Any:
    match field.kind:
        case "lines":
            return [line.strip() for line in typed.splitlines() if line.strip()]
        case "pairs":
            return {name: _json_or_text(value) for name, value in _read_pairs(typed)}
        case "text_pairs":
            return dict(_read_pairs(typed))
        case "yes_no":
            return {"yes": True, "no": False}.get(typed, typed)
        case "instant":
            return _read_instant(typed, zone)
        case "number":
            return _read_number(typed)
    return typed


def _read_pairs(typed: str) -> list[tuple[str, str]]:
    pairs = []
    for line in filter(str.strip, typed.splitlines()):
        name, separator, value = line.replace("：", ":", 1).partition(":")
        if not separator or not name.strip():
            raise ValueError("a line must be name: value")
        pairs.append((name.strip(), value.strip()))
    return pairs


def _json_or_text(value: str) -> Any:
    try:
        return orjson.loads(value)
    except ValueError:
        return value


def _read_number(typed: str) -> int | float | str:
    for convert in (int, float):
        try:
            return convert(typed)
        except ValueError:
            continue
    return typed


def _read_instant(typed: str, zone: tzinfo) -> str:
    """The instant with its offset; browsers send the time of the organisation's zone without one."""
    try:
        read = datetime.fromisoformat(typed)
    except ValueError:
        return typed
    return (read if read.tzinfo else read.replace(tzinfo=zone)).isoformat()
