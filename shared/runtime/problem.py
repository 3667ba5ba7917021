"""Errors over HTTP as `application/problem+json` (RFC 9457) that name field, rule and remedy."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818  # the RFC's own word
    """An answer that is not a success: HTTP status, a title, what is wrong and what would be right; `more` adds members."""

    def __init__(self, status: int, title: str, detail: str, **more: Any) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.more = more

    def response(self) -> JSONResponse:
        """The answer."""
        headers = {"Retry-After": "1"} if self.status in (429, 503) else {}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        body = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail, **self.more}
        return JSONResponse(body, self.status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every Problem, and every body that does not validate, as problem+json."""

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> JSONResponse:
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return invalid_fields(error.errors()).response()


def invalid_fields(errors: Sequence[Any]) -> Problem:
    """A 422 that names each field with the rule it breaks; never the value, which may be personal."""
    found = [{"field": ".".join(str(part) for part in each["loc"]) or "body", "rule": str(each["msg"])} for each in errors]
    detail = "; ".join(f"{each['field']}: {each['rule']}" for each in found[:5])
    return Problem(422, "the request is not valid", detail, errors=found[:50])
