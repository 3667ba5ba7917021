"""OpenAPI documents that are whole: every problem is a response of the operations that may answer it, with its headers."""

from collections import defaultdict
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel, ConfigDict, Field

from shared.runtime.http.problem import INVALID, MEDIA_TYPE, SERVER_FAULT, UNAVAILABLE, ProblemType

_RETRY_AFTER = {"Retry-After": {"description": "seconds to wait", "required": True, "schema": {"type": "string", "pattern": "^[0-9]+$"}}}
_CHALLENGE = {"WWW-Authenticate": {"description": "the scheme, RFC 6750", "required": True, "schema": {"type": "string"}}}
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: _CHALLENGE,
    HTTPStatus.TOO_MANY_REQUESTS: _RETRY_AFTER,
    HTTPStatus.SERVICE_UNAVAILABLE: _RETRY_AFTER,
}
ANY_OPERATION = (INVALID, SERVER_FAULT, UNAVAILABLE)
"""Possible answers of every operation with a database."""


class ProblemError(BaseModel):
    """One invalid field; its value is never repeated, since it may be personal data."""

    field: str = Field(description="path of the field with dots, or the name of the header", examples=["body.action"])
    rule: str = Field(description="the rule that it breaks", examples=["missing"])
    remedy: str = Field(description="what to send instead", examples=["Field required"])


class Problem(BaseModel):
    """An error (RFC 9457); clients distinguish kinds of errors by `type`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:jiesu:problem:invalid"])
    title: str
    status: int
    detail: str = Field(description="field, rule and remedy in one sentence")
    errors: list[ProblemError] = Field(default_factory=list)


def problem_responses(*problem_types: ProblemType) -> dict[int | str, dict[str, Any]]:
    """These problems, by status, as FastAPI takes them for a route or a router."""
    by_status: defaultdict[int, list[ProblemType]] = defaultdict(list)
    for problem_type in problem_types:
        by_status[problem_type.status].append(problem_type)
    return {status: _response(status, listed) for status, listed in sorted(by_status.items())}


def _response(status: int, problem_types: list[ProblemType]) -> dict[str, Any]:
    examples = {
        each.code or HTTPStatus(status).name.lower(): {"value": {"type": each.uri, "title": each.title, "status": status, "detail": ""}}
        for each in problem_types
    }
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}}
    response = {"description": "; ".join(dict.fromkeys(each.title for each in problem_types)), "content": content}
    return response | ({"headers": _HEADERS[HTTPStatus(status)]} if status in _HEADERS else {})


class ServiceApi(FastAPI):
    """FastAPI with the schema of problems, and without its pages, whose scripts come from servers of others."""

    def __init__(self, title: str) -> None:
        # Generated clients name their functions by the operation ids: take_action, not take_action_v1_cases__case__actions_post.
        # FastAPI's own telemetry records path and query, with follow codes and what was searched for (see request_spans).
        untraced: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
        super().__init__(
            title=title,
            version="1",
            docs_url=None,
            redoc_url=None,
            generate_unique_id_function=lambda route: route.name,
            telemetry=untraced,
        )
        # A redirect to the path without its slash would name the host that the client claims, and is no problem document.
        self.router.redirect_slashes = False

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        document = super().openapi()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(problem.pop("$defs"))
            schemas["Problem"] = problem
            # FastAPI's own description of a 422, which `add_problem_handlers` replaces.
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            for operation in (operation for path in document["paths"].values() for operation in path.values()):
                _describe_invalid_requests(operation["responses"])
        return document


def _describe_invalid_requests(responses: dict[str, Any]) -> None:
    """Replace FastAPI's response of a 422 where the route has none of its own: its schema is not in the document."""
    status = str(INVALID.status)
    schemas = [content.get("schema", {}) for content in responses.get(status, {}).get("content", {}).values()]
    if {"$ref": "#/components/schemas/HTTPValidationError"} in schemas:
        responses[status] = _response(INVALID.status, [INVALID])
