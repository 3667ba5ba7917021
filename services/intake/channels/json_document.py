"""The channel of systems: a JSON object with a complaint's fields, by HTTP or Kafka."""

import json
from typing import Any, NoReturn

import orjson
from pydantic import ValidationError

from services.intake.channels.reading import Reading
from services.intake.domain.plain_text import sanitised
from services.intake.domain.submission_faults import Fault, faults
from shared.contracts.complaint import Submission

_DIGITS = 19
_SUSPECT = (b"\\u0000", b"\\ud", b"\\uD")


class MalformedError(ValueError):
    """Bytes that are no JSON; says where, not what."""


def parse(body: bytes) -> Any:
    """The JSON value of a body, sanitised. Raises `MalformedError`."""
    suspect = any(escape in body for escape in _SUSPECT)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not suspect:
            raise MalformedError(f"not JSON in UTF-8: line {error.lineno}, column {error.colno}") from None
        value = _lenient(body)
    return sanitised(value) if suspect else value


def read(value: Any) -> Reading:
    """The submission in a JSON value, or what is wrong with it."""
    if not isinstance(value, dict):
        return Reading(None, (Fault("body", "not_an_object", "send a JSON object with the complaint's fields"),))
    try:
        return Reading(Submission.model_validate(value))
    except ValidationError as error:
        return Reading(None, faults(error))


def _lenient(body: bytes) -> Any:
    """The standard library's parser takes lone surrogates, which are then replaced."""
    try:
        return json.loads(body, parse_constant=_no_number, parse_int=_number)
    except (ValueError, RecursionError):
        raise MalformedError("not JSON in UTF-8") from None


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) < _DIGITS else float(digits)


def _no_number(_: str) -> NoReturn:
    raise MalformedError("NaN and Infinity are no JSON")
