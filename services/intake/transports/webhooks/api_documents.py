"""Webhooks in the OpenAPI document."""

from typing import Any, Literal

from pydantic import BaseModel

from services.intake.api_dependencies import PROBLEM_TYPES
from services.intake.api_documents import SubmissionAnswer
from shared.runtime.http.openapi import ANY_OPERATION, problem_responses

_REASONS = ("key", "signature", "source", "channel", "not_found", "malformed", "missing", "implausible", "mapping", "too_large", "rate")
_BODIES: dict[str, Any] = {"application/json": {"schema": {}}, "application/x-www-form-urlencoded": {"schema": {}}}


class IgnoredAnswer(BaseModel):
    """A call that makes no case, by `only_when` of the map."""

    status: Literal["ignored"]


CALL: dict[str, Any] = {
    "openapi_extra": {"requestBody": {"required": True, "content": _BODIES}},
    "responses": {202: {"model": SubmissionAnswer}, 200: {"model": IgnoredAnswer}}
    | problem_responses(*ANY_OPERATION, *(PROBLEM_TYPES[reason] for reason in (*_REASONS, "key_reused", "reference_reused"))),
}
