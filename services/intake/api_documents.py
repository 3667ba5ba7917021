"""Bodies, headers and answers in intake's OpenAPI document."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from services.intake.api_dependencies import PROBLEM_TYPES
from shared.contracts.complaint import Complaint, Submission
from shared.runtime.http.body import header_parameter, request_body
from shared.runtime.http.openapi import ANY_OPERATION, Problem, problem_responses

COMPLAINT_EXAMPLE = {
    "received_at": "2026-09-24T16:40:00+08:00",
    "channel": "hotline",
    "external_id": "CC-2026-000123",
    "complainant": {"kind": "customer", "name": "王先生", "phone": "13800000000"},
    "text": "3号楼电梯停运",
    "place": "3号楼",
    "facts": {"facility_failure": True},
}
_PARAMETERS = [
    header_parameter("Idempotency-Key", "recognises a submission without `external_id` that is sent again; another body under it: 422"),
    header_parameter("traceparent", "W3C Trace Context; one that cannot be read is replaced"),
]


class SubmissionBatch(BaseModel):
    """Up to 1,000 complaints."""

    complaints: list[Submission] = Field(min_length=1, max_length=1000)


class SubmissionAnswer(BaseModel):
    """A registered complaint; `missing` and `unreadable` name fields that the source should send again."""

    status: Literal["registered", "duplicate", "supplement"]
    case: str
    number: str = Field(examples=["TS-2026-00001"])
    missing: list[str]
    unreadable: list[str]
    follow_code: str | None = Field(default=None, description="the complainant's code for his page", examples=["7Q2M-0X4K-9TBC-H5WA"])


class BatchItem(BaseModel):
    """The result of one complaint of a batch: as if it had been submitted alone, or the problem for which it was refused."""

    index: int
    status: Literal["registered", "duplicate", "supplement", "refused"]
    case: str | None = None
    number: str | None = None
    missing: list[str] = Field(default_factory=list)
    unreadable: list[str] = Field(default_factory=list)
    follow_code: str | None = None
    problem: Problem | None = None


class BatchAnswer(BaseModel):
    """One result for each complaint, in order."""

    accepted: int
    refused: int
    results: list[BatchItem]


class RegisteredAnswer(BaseModel):
    """A complaint as registered, masked and without contact data."""

    status: Literal["registered"]
    case: str
    number: str
    procedure: str
    version: int
    registered_at: str
    missing: list[str]
    unreadable: list[str]
    forms: list[str]
    complaint: Complaint


_LOCATION = {"Location": {"description": "the complaint as registered", "required": True, "schema": {"type": "string"}}}
_BATCH_REFUSALS = ("key", "malformed", "too_large", "rate", "overloaded")
_REFUSALS = (
    *_BATCH_REFUSALS,
    "missing",
    "implausible",
    "key_reused",
    "source",
    "entered_by",
    "channel",
    "reference_reused",
)
SUBMIT: dict[str, Any] = {
    "openapi_extra": request_body(Submission, COMPLAINT_EXAMPLE) | {"parameters": _PARAMETERS},
    "responses": {202: {"model": SubmissionAnswer, "headers": _LOCATION}}
    | problem_responses(*ANY_OPERATION, *(PROBLEM_TYPES[reason] for reason in _REFUSALS)),
}
BATCH: dict[str, Any] = {
    "openapi_extra": request_body(SubmissionBatch, {"complaints": [COMPLAINT_EXAMPLE]}) | {"parameters": _PARAMETERS},
    "responses": problem_responses(*ANY_OPERATION, *(PROBLEM_TYPES[reason] for reason in _BATCH_REFUSALS))
    | {202: {"model": BatchAnswer}, 207: {"model": BatchAnswer, "description": "some were refused"}},
}
# 422 has two forms: a batch that cannot be read is a problem, one whose complaints were all refused has its results.
BATCH["responses"][422]["content"]["application/json"] = {"schema": {"$ref": "#/components/schemas/BatchAnswer"}}
GET: dict[str, Any] = {
    "responses": {200: {"model": RegisteredAnswer}} | problem_responses(*ANY_OPERATION, PROBLEM_TYPES["key"], PROBLEM_TYPES["not_found"]),
}
