"""Errors over HTTP as `application/problem+json` (RFC 9457) that name field, rule and remedy."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from shared.runtime.process.failures import is_infrastructure, redacted_reason

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"


class HttpProblem(Exception):  # noqa: N818  # the RFC's own word
    """An answer that is not a success: HTTP status, a title, what is wrong and what would be right; `more` adds members."""

    def __init__(self, status: int, title: str, detail: str, **extensions: Any) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.extensions = extensions

    def to_response(self) -> JSONResponse:
        """The answer."""
        headers = {"Retry-After": "1"} if self.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE) else {}
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        body = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail, **self.extensions}
        return JSONResponse(body, self.status, headers, MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every Problem, and every body that does not validate, as problem+json."""

    @app.exception_handler(HttpProblem)
    async def problem(_: Request, error: HttpProblem) -> JSONResponse:
        return error.to_response()

    async def outage(_: Request, error: Exception) -> JSONResponse:
        if not is_infrastructure(error):
            raise error
        log.warning("a request could not be answered", reason=redacted_reason(error))
        return HttpProblem(503, "it cannot be done right now", "try again in a moment; nothing has been changed").to_response()

    for kind in (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        app.add_exception_handler(kind, outage)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return validation_problem(error.errors()).to_response()


def validation_problem(errors: Sequence[Any]) -> HttpProblem:
    """A 422 that names each field with the rule it breaks; never the value, which may be personal."""
    found = [{"field": ".".join(str(part) for part in each["loc"]) or "body", "rule": str(each["msg"])} for each in errors]
    detail = "; ".join(f"{each['field']}: {each['rule']}" for each in found[:5])
    return HttpProblem(422, "the request is not valid", detail, errors=found[:50])
