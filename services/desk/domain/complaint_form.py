"""The form of a complaint: its fields for a procedure, and the submission that the filled form amounts to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any

from shared.contracts.json_text import MAX_INT64
from shared.procedures.model.procedure import FactDeclaration, Procedure

SOURCE, RECEIVED_AT, CHANNEL = "source", "received_at", "channel"
_TYPES = {"bool": "choice", "int": "number", "number": "number", "text": "line", "instant": "instant", "date": "date"}
_COMPLAINANT = {
    "phone": "tel",
    "name": "line",
    "anonymous": "check",
    "kind": "complainant_kind",
    "email": "email",
    "address": "line",
    "identity": "line",
    "enterprise": "line",
    "household": "line",
    "id_number": "line",
}
_COMPLAINT = {
    "text": "text",
    "title": "line",
    "place": "line",
    "object": "line",
    "product": "line",
    "demand": "text",
    "against": "lines",
    "happened_at": "instant",
    "kind": "kind",
}
_ALWAYS = ("complainant.phone", "complainant.name", "complainant.anonymous", CHANNEL, RECEIVED_AT, "text", "title", "place")
"""Fields that are in front; the others do where the procedure requires them, else behind."""


@dataclass(frozen=True, slots=True)
class ComplaintField:
    """A field: `name` is its path in the submission, `type` how it is filled in, `fact` its declaration where it is a fact."""

    name: str
    type: str
    required: bool = False
    fact: FactDeclaration | None = None


@dataclass(frozen=True, slots=True)
class FormFault:
    """A field that cannot be used: the rule that it breaks, and the remedy in English where a service gave one."""

    field: str
    rule: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class FilledComplaint:
    """The submission of a form as intake takes it, what is wrong with it, and the required fields that it lacks."""

    submission: dict[str, Any] = field(default_factory=dict)
    faults: list[FormFault] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def form_fields(procedure: Procedure) -> tuple[list[ComplaintField], list[ComplaintField]]:
    """The fields in front, and those behind, in the order in which they are asked for."""
    required = procedure.register_.required
    plain = {
        **{f"complainant.{name}": type_ for name, type_ in _COMPLAINANT.items()},
        CHANNEL: "channel",
        RECEIVED_AT: "instant",
        **_COMPLAINT,
    }
    fields = [ComplaintField(name, type_, name in required) for name, type_ in plain.items()]
    fields += [
        ComplaintField(f"facts.{name}", _TYPES[fact.type], f"facts.{name}" in required, fact) for name, fact in procedure.facts.items()
    ]
    front = [each for each in fields if each.required or each.name in _ALWAYS]
    return front, [each for each in fields if each not in front]


def fill_form(procedure: Procedure, values: Mapping[str, str], zone: tzinfo) -> FilledComplaint:
    """The submission of the values by field name; instants are local ones of the zone.

    Only a missing text, channel or time of receipt is a fault: what the procedure requires besides is registered as missing and chased.
    """
    filled = FilledComplaint()
    for each in [one for part in form_fields(procedure) for one in part]:
        text = values.get(each.name, "").strip()
        if not text:
            if each.name in ("text", CHANNEL, RECEIVED_AT):
                filled.faults.append(FormFault(each.name, "missing"))
            elif each.required and not _is_anonymous(values, each.name):
                filled.missing.append(each.name)
            continue
        value = _value(each, text, zone)
        if value is None:
            filled.faults.append(FormFault(each.name, f"not_{'number' if each.type == 'number' else 'instant'}"))
        else:
            _put(filled.submission, each.name, value)
    return filled


def _is_anonymous(values: Mapping[str, str], name: str) -> bool:
    """An anonymous complainant is not asked for contact data, as in intake."""
    return name.startswith("complainant.") and bool(values.get("complainant.anonymous"))


def _value(each: ComplaintField, text: str, zone: tzinfo) -> Any:
    match each.type:
        case "check":
            return True
        case "choice":
            return text == "yes"
        case "number":
            return _number(text, whole=each.fact is not None and each.fact.type == "int")
        case "instant":
            return _instant(text, zone)
        case "date":
            return _day(text)
        case "lines":
            return [line.strip() for line in text.splitlines() if line.strip()]
    return text


def _number(text: str, *, whole: bool) -> int | float | None:
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        return None
    # JSON has neither NaN nor infinity, and intake takes integers of 64 bits.
    return number if abs(number) <= MAX_INT64 else None


def _instant(text: str, zone: tzinfo) -> str | None:
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).isoformat()
    except (ValueError, OverflowError):
        return None


def _day(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _put(submission: dict[str, Any], name: str, value: Any) -> None:
    root, _, leaf = name.partition(".")
    if leaf:
        submission.setdefault(root, {})[leaf] = value
    else:
        submission[root] = value
