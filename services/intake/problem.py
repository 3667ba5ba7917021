"""Errors as RFC 9457 says: `application/problem+json`, naming field, rule and remedy, never a value."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from fastapi.responses import Response

from services.intake.domain.submission_faults import SubmissionFault

MEDIA_TYPE = "application/problem+json"
STATUS_AND_TITLE = {
    "malformed": (400, "the body is not JSON"),
    "missing": (422, "something that every complaint needs is missing"),
    "invalid": (422, "a field is not as it has to be"),
    "implausible": (422, "the time of receipt cannot be"),
    "too_large": (413, "the body is too large"),
    "key": (401, "the key is missing or unknown"),
    "source": (403, "the key belongs to another source"),
    "channel": (403, "the source may not submit on this channel"),
    "rate": (429, "the source submits too fast"),
    "key_reused": (422, "the Idempotency-Key was used for another complaint"),
    "not_found": (404, "the source has no such complaint"),
    "unavailable": (503, "the complaint could not be stored"),
}


class IntakeHttpError(Exception):
    """An answer other than the one asked for; `reason` is a key of `TITLES`."""

    def __init__(self, reason: str, *faults: SubmissionFault, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.faults = faults
        self.headers = dict(headers or {})


def problem_document(reason: str, faults: Sequence[SubmissionFault]) -> dict[str, Any]:
    """The problem as JSON."""
    status, title = STATUS_AND_TITLE[reason]
    detail = "; ".join(f"{fault.field}: {fault.remedy}" for fault in faults)
    errors = [asdict(fault) for fault in faults]
    return {"type": f"urn:jiesu:problem:{reason}", "title": title, "status": status, "detail": detail, "errors": errors}


def problem_response(error: IntakeHttpError) -> Response:
    """The problem as an answer."""
    body = problem_document(error.reason, error.faults)
    return Response(orjson.dumps(body), body["status"], error.headers, MEDIA_TYPE)
