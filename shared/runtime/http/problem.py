"""HTTP errors as `application/problem+json` (RFC 9457)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.runtime.process.failures import OUTAGE_CLASSES, is_infrastructure, redacted_reason

MEDIA_TYPE = "application/problem+json"
_MAX_FAULTS = 50
_MAX_FAULTS_IN_DETAIL = 5
_UNSERVED_DETAILS: dict[int, str] = {
    HTTPStatus.NOT_FOUND: "there is no such path: see /openapi.json for those that there are",
    HTTPStatus.METHOD_NOT_ALLOWED: "the path does not serve this method: the header Allow lists those that it serves",
}
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem. Without a code its `type` is `about:blank` and its title the phrase of the status (RFC 9457, 4.2.1)."""

    code: str
    status: int
    title: str

    @property
    def uri(self) -> str:
        """The `type` member of the document."""
        return f"urn:jiesu:problem:{self.code}" if self.code else "about:blank"


REQUEST_TIMEOUT = ProblemType("", 408, "Request Timeout")
TOO_MANY_REQUESTS = ProblemType("", 429, "Too Many Requests")
BODY_TOO_LARGE = ProblemType("too_large", 413, "the body is too large")
INVALID = ProblemType("invalid", 422, "a field is invalid")
SERVER_FAULT = ProblemType("", 500, "Internal Server Error")
UNAVAILABLE = ProblemType("unavailable", 503, "the service is temporarily unavailable")


class Fault(Protocol):
    """One invalid field; holds no value, which may be personal data."""

    @property
    def field(self) -> str:
        """Path of the field with dots, or the name of the header."""
        ...

    @property
    def rule(self) -> str:
        """The rule that it breaks, as an identifier."""
        ...

    @property
    def remedy(self) -> str:
        """State how to correct the value."""
        ...


@dataclass(frozen=True, slots=True)
class FieldFault:
    """A fault of a request."""

    field: str
    rule: str
    remedy: str


class HttpProblem(Exception):  # noqa: N818 - "problem" is the term of RFC 9457
    """A response with an error status; without `detail` the faults supply it, `extensions` are further members of the document."""

    def __init__(
        self,
        problem_type: ProblemType,
        detail: str = "",
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        super().__init__(problem_type.title)
        self.type = problem_type
        self.detail = detail or "; ".join(f"{fault.field}: {fault.remedy}" for fault in faults[:_MAX_FAULTS_IN_DETAIL])
        self.faults = faults
        self.headers = _default_headers(problem_type.status) | dict(headers or {})
        self.extensions = extensions

    def document(self) -> dict[str, Any]:
        """The problem as a JSON object; `errors` lists the faults, if there are any."""
        members = {"type": self.type.uri, "title": self.type.title, "status": self.type.status, "detail": self.detail}
        errors = [{"field": fault.field, "rule": fault.rule, "remedy": fault.remedy} for fault in self.faults]
        return members | ({"errors": errors} if errors else {}) | self.extensions

    def to_response(self) -> JSONResponse:
        """The problem as a response."""
        return JSONResponse(self.document(), self.type.status, self.headers, MEDIA_TYPE)


def _default_headers(status: int) -> dict[str, str]:
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return {"Retry-After": "1"}
    return {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}


def add_problem_handlers(app: FastAPI, on_problem: Callable[[HttpProblem], None] = lambda _: None) -> None:
    """Answer HttpProblem, invalid parameters and outages with problem documents; `on_problem` is called for each, to count it."""

    def respond(problem: HttpProblem) -> JSONResponse:
        on_problem(problem)
        return problem.to_response()

    @app.exception_handler(HttpProblem)
    async def problem(_: Request, error: HttpProblem) -> JSONResponse:
        return respond(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return respond(validation_problem(error.errors()))

    @app.exception_handler(HTTPException)
    async def unserved(_: Request, error: HTTPException) -> JSONResponse:
        """Unknown paths and methods."""
        detail = _UNSERVED_DETAILS.get(error.status_code, "")
        return respond(HttpProblem(ProblemType("", error.status_code, HTTPStatus(error.status_code).phrase), detail, headers=error.headers))

    @app.exception_handler(Exception)
    async def fault(_: Request, _error: Exception) -> JSONResponse:
        # Starlette raises the error again after this answer, so that the server logs it.
        return respond(HttpProblem(SERVER_FAULT, "a fault of ours, which is logged; nothing has been changed"))

    @app.exception_handler(ClientDisconnect)
    async def disconnected(_: Request, _error: ClientDisconnect) -> Response:
        # Nobody reads it; without a handler each client that breaks off its body would be logged as a fault of ours.
        return Response(status_code=REQUEST_TIMEOUT.status)

    async def outage(_: Request, error: Exception) -> JSONResponse:
        if not is_infrastructure(error):
            raise error
        log.warning("request failed on an outage", reason=redacted_reason(error))
        # Not "nothing has been changed": a connection that ends during COMMIT does not show whether it was carried out.
        return respond(HttpProblem(UNAVAILABLE, "try again in a moment; what is sent under one Idempotency-Key is carried out once"))

    # Starlette selects handlers by class alone; errors of these classes that are no outage are raised again.
    for error_class in OUTAGE_CLASSES:
        app.add_exception_handler(error_class, outage)


def validation_problem(errors: Iterable[Any], prefix: tuple[str, ...] = ()) -> HttpProblem:
    """A 422 with a fault for each error of pydantic or FastAPI; `prefix` is put before every field path."""
    faults = [
        FieldFault(".".join(map(str, (*prefix, *error["loc"]))) or "body", error["type"], error["msg"].removeprefix("Value error, "))
        for error in errors
    ]
    return HttpProblem(INVALID, faults=faults[:_MAX_FAULTS])
