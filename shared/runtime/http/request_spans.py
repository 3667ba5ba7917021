"""A span for each request, below the caller's; its traceparent is that of what the request stores and sends.

Not FastAPI's own telemetry, nor OpenTelemetry's for ASGI: both record path and query, which hold follow codes and what was searched for.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.runtime.tracing.context import Activity, valid_traceparent, working_on
from shared.runtime.tracing.spans import Span, SpanKind, Tracing

_UNTRACED_PATHS = frozenset({"/live", "/ready", "/startup", "/metrics", "/openapi.json"})
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_SERVER_ERROR = 500


class RequestSpans:
    """ASGI middleware; only method, route and status are recorded. While tracing is off the caller's traceparent is passed on."""

    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request within its span."""
        parent = _traceparent_of(scope) if scope["type"] == "http" else None
        if scope["type"] != "http" or scope["path"] in _UNTRACED_PATHS or (parent is None and not self._tracing.is_on):
            await self._app(scope, receive, send)
            return
        span = self._start(scope, parent)
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with working_on(Activity(span.traceparent if span else parent)):
                await self._app(scope, receive, send_and_note)
        finally:
            if span is not None:
                _end(span, scope, status)

    def _start(self, scope: Scope, parent: str | None) -> Span | None:
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        attributes = {"http.request.method": method}
        if parent is None:
            return self._tracing.start_trace(method, SpanKind.SERVER, attributes)
        return self._tracing.start(method, SpanKind.SERVER, parent, attributes)


def _traceparent_of(scope: Scope) -> str | None:
    values = [value for name, value in scope["headers"] if name == b"traceparent"]
    return valid_traceparent(values[0].decode("latin-1")) if len(values) == 1 else None


def _end(span: Span, scope: Scope, status: int) -> None:
    # The template of the route, known once it has matched: the path itself may hold a follow code.
    if (path := getattr(scope.get("route"), "path", None)) is not None:
        span.set("http.route", path)
        span.rename(f"{scope['method']} {path}")
    span.set("http.response.status_code", status)
    span.end("the service failed" if status >= _SERVER_ERROR or not status else "")
