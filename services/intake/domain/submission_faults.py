"""Faults of a submission: field, rule and remedy, never the value."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic_core import ErrorDetails

from shared.contracts.instants import INSTANT_REMEDY

_REMEDIES = {
    "missing": "send it",
    "extra_forbidden": "there is no such field: correct its name or leave it out",
    "string_too_long": "shorten it",
    "string_too_short": "send at least one character",
    "string_type": "send text",
    "literal_error": "send one of the documented values",
    "timezone_aware": "add the offset from UTC, e.g. +08:00",
    "datetime_from_date_parsing": INSTANT_REMEDY,
    "datetime_parsing": INSTANT_REMEDY,
    "datetime_type": INSTANT_REMEDY,
    "bool_parsing": "send true or false",
    "bool_type": "send true or false",
    "list_type": "send a list",
    "dict_type": "send an object",
    "model_type": "send an object",
    "model_attributes_type": "send an object",
    "too_long": "send fewer",
}
_MAX_FAULTS = 20


@dataclass(frozen=True, slots=True)
class SubmissionFault:
    """One fault: `field` as a path with dots, `rule` that it breaks, `remedy` for the sender."""

    field: str
    rule: str
    remedy: str


def faults_from_validation(errors: Sequence[ErrorDetails]) -> tuple[SubmissionFault, ...]:
    """Pydantic's errors as faults, at most 20, without any value of the submission."""
    return tuple(dict.fromkeys(_fault(item["loc"], item["type"], item["msg"]) for item in errors[:_MAX_FAULTS]))


def _fault(location: Iterable[int | str], rule: str, message: str) -> SubmissionFault:
    path = [str(part) for part in location]
    # Pydantic adds the branch of a union to the location, e.g. facts.x.bool; the sender's field is facts.x.
    if path[:1] == ["facts"]:
        path, rule, message = path[:2], "fact_type", "must be true or false, a number, an instant or text"
    field = ".".join(path) or ("text" if rule == "value_error" else "body")
    return SubmissionFault(field, rule, _REMEDIES.get(rule, message.removeprefix("Value error, ")))
