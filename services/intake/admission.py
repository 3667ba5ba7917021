"""Refuses complaints of sources while more arrive than can be committed in time: before routing, since a refusal must cost little."""

from collections.abc import Callable

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.intake import metrics
from services.intake.api_dependencies import overload_problem
from services.intake.application.submission_copies import VIA_HTTP

_PATHS = frozenset({"/v1/complaints", "/v1/complaints:batch"})


class Admission:
    """ASGI middleware.

    `is_source` states whether a request has the key of a source: people enter one complaint at a time, and are taken.
    """

    def __init__(self, app: ASGIApp, is_overloaded: Callable[[], bool], is_source: Callable[[Request], bool]) -> None:
        self._app = app
        self._is_overloaded = is_overloaded
        self._is_source = is_source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 429 with Retry-After, or pass the request on."""
        if self._submits(scope) and self._is_overloaded() and self._is_source(Request(scope)):
            problem = overload_problem()
            metrics.count_refused(VIA_HTTP, problem.type.code)
            await problem.to_response()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    @staticmethod
    def _submits(scope: Scope) -> bool:
        return scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in _PATHS
