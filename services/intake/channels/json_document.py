"""Reads submissions of systems: a JSON object with a complaint's fields."""

import json
from typing import Any, NoReturn

import orjson
from pydantic import ValidationError

from services.intake.channels.parse_result import ParseResult
from services.intake.domain.plain_text import sanitised
from services.intake.domain.submission_faults import SubmissionFault, faults_from_validation
from shared.contracts.complaint import Submission

_MAX_INT_DIGITS = 19
# Only escapes can bring NUL or surrogates: orjson rejects them as raw bytes. Searching for escapes spares a walk through the value.
_ESCAPES_TO_SANITISE = (b"\\u0000", b"\\ud", b"\\uD")


class MalformedJsonError(ValueError):
    """A body is not JSON; the message names the position, never the content."""


def parse_json(body: bytes) -> Any:
    """The JSON value of a body, without NUL and lone surrogates; raises `MalformedJsonError`."""
    needs_sanitising = any(escape in body for escape in _ESCAPES_TO_SANITISE)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not needs_sanitising:
            raise MalformedJsonError(f"not JSON in UTF-8: line {error.lineno}, column {error.colno}") from None
        value = _parse_leniently(body)
    return sanitised(value) if needs_sanitising else value


def read(value: Any) -> ParseResult:
    """The submission in a JSON value, or its faults."""
    if not isinstance(value, dict):
        return ParseResult(None, (SubmissionFault("body", "not_an_object", "send a JSON object with the complaint's fields"),))
    try:
        return ParseResult(Submission.model_validate(value))
    except ValidationError as error:
        return ParseResult(None, faults_from_validation(error))


def _parse_leniently(body: bytes) -> Any:
    """The JSON value of a body with lone surrogates, which orjson rejects and the standard library accepts."""
    try:
        return json.loads(body, parse_constant=_reject_constant, parse_int=_parse_int)
    except (ValueError, RecursionError):
        raise MalformedJsonError("not JSON in UTF-8") from None


def _parse_int(digits: str) -> int | float:
    # As orjson does: an integer beyond 64 bits becomes a float.
    return int(digits) if len(digits) < _MAX_INT_DIGITS else float(digits)


def _reject_constant(_: str) -> NoReturn:
    raise MalformedJsonError("NaN and Infinity are not JSON")
