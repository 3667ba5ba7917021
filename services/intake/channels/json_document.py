"""Reads submissions of systems: a JSON object with a complaint's fields."""

from typing import Any

from pydantic import ValidationError

from services.intake.channels.parse_result import ParseResult
from services.intake.channels.unreadable_fields import PRESENT_FIELDS, leave_out_faulty, without_absent
from services.intake.domain.plain_text import sanitised
from services.intake.domain.submission_faults import SubmissionFault, faults_from_validation
from shared.contracts.complaint import Submission
from shared.contracts.json_text import JsonTextError, parse_json_text

# Only escapes can bring NUL or surrogates: UTF-8 has no surrogates, and JSON no raw NUL. Searching for escapes spares a walk.
_ESCAPES_TO_SANITISE = (b"\\u0000", b"\\ud", b"\\uD")
_MAX_READINGS = 4


class MalformedJsonError(ValueError):
    """A body is not JSON; the message names the position, never the content."""


def parse_json(body: bytes) -> Any:
    """The JSON value of a body, without NUL and lone surrogates; raises `MalformedJsonError`."""
    try:
        value = parse_json_text(body)
    except JsonTextError as error:
        raise MalformedJsonError(str(error)) from None
    return sanitised(value) if any(escape in body for escape in _ESCAPES_TO_SANITISE) else value


def read(value: Any) -> ParseResult:
    """The submission in a JSON value without the optional fields that cannot be read, or the faults of `text` and `received_at`."""
    if not isinstance(value, dict):
        return ParseResult(None, (SubmissionFault("body", "not_an_object", "send a JSON object with the complaint's fields"),))
    document, unreadable = without_absent(value), dict[str, None]()
    # A field may have a second fault behind the first, e.g. a list that is too long and holds a text that is too long.
    for _ in range(_MAX_READINGS):
        try:
            return ParseResult(Submission.model_validate(document), unreadable=tuple(unreadable))
        except ValidationError as error:
            faults = error.errors(include_url=False)
        if any((fault["loc"] or PRESENT_FIELDS)[0] in PRESENT_FIELDS for fault in faults):
            break
        document = leave_out_faulty(document, faults, unreadable)
    return ParseResult(None, faults_from_validation(faults))
