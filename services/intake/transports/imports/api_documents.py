"""Imports in the OpenAPI document."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from services.intake.api_dependencies import PROBLEM_TYPES
from shared.runtime.http.openapi import ANY_OPERATION, ProblemError, problem_responses


class ImportAnswer(BaseModel):
    """An import; `counts` has a number for each result of a row."""

    id: str
    source: str
    name: str
    sha256: str
    dry_run: bool
    state: Literal["running", "done", "failed"]
    rows_done: int
    accepted: int
    refused: int
    counts: dict[str, int] = Field(examples=[{"registered": 5, "duplicate": 1, "refused": 1}])
    found: dict[str, str] = Field(examples=[{"encoding": "GB18030: not UTF-8, and every byte fits", "delimiter": "comma"}])
    errors: list[ProblemError]
    created_at: str
    finished_at: str | None


_FILE = {"schema": {"type": "string", "format": "binary"}}
_MEDIA_TYPES = (
    *("text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.ms-excel"),
    "application/octet-stream",
)
_LOCATION = {"Location": {"description": "the import", "required": True, "schema": {"type": "string"}}}


def _problems(*reasons: str) -> dict[int | str, dict[str, Any]]:
    return problem_responses(*ANY_OPERATION, *(PROBLEM_TYPES[reason] for reason in reasons))


IMPORT: dict[str, Any] = {
    # One type for all: the content says what it is, and generators of clients know no others for plain bytes.
    "openapi_extra": {"requestBody": {"required": True, "content": {"application/octet-stream": _FILE}}},
    "responses": {202: {"model": ImportAnswer, "headers": _LOCATION}} | _problems("key", "malformed", "too_large", "rate", "no_column_map"),
}
GET: dict[str, Any] = {"responses": {200: {"model": ImportAnswer}} | _problems("key", "not_found")}
REPORT: dict[str, Any] = {
    "responses": {200: {"content": dict.fromkeys(_MEDIA_TYPES[:2], _FILE), "description": "the report"}}
    | _problems("key", "not_found", "unusable_file"),
}
