"""Counts and times the requests of a process, and writes its metrics in the format that the scraper accepts."""

from prometheus_client import exposition
from prometheus_client.registry import REGISTRY
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.runtime.clock import monotonic
from shared.runtime.process import metrics
from shared.runtime.process.measured_gauge import OTHER, bounded
from shared.runtime.tracing.context import exemplar, valid_traceparent

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ABORTED = "aborted"
"""The status of a request whose client left before the answer began."""
_SERVER_ERROR = "5xx"


class RequestMetrics:
    """ASGI application that measures each request by route template, method and class of its status.

    Never by path: paths hold case numbers and ids, which would make time series without bound, and personal data of them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and measure it once its answer ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = ABORTED

        async def send_measured(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = f"{message['status'] // 100}xx"
            await send(message)

        started = monotonic()
        metrics.HTTP_REQUESTS_RUNNING.inc()
        try:
            await self._app(scope, receive, send_measured)
        except Exception:
            status = _SERVER_ERROR
            raise
        finally:
            metrics.HTTP_REQUESTS_RUNNING.dec()
            labels = _route(scope), bounded(scope["method"], METHODS), status
            metrics.HTTP_REQUEST_DURATION.labels(*labels).observe(monotonic() - started, exemplar(_traceparent(scope)))


def exposition_for(accept: str) -> tuple[bytes, str]:
    """The metrics of the process and their media type: OpenMetrics, which has exemplars, for a scraper that accepts it, else text."""
    encode, media_type = exposition.choose_encoder(accept)
    return encode(REGISTRY), media_type


def _route(scope: Scope) -> str:
    # The router leaves the route that matched in the scope; without one the path is a stranger's choice.
    return str(getattr(scope.get("route"), "path", OTHER))


def _traceparent(scope: Scope) -> str | None:
    header = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
    return valid_traceparent(header.decode("latin-1"))
