"""Bounds what one connection may hold without asking anything: half-open headers, slow bodies, unread answers, too many connections.

uvicorn has a limit for idle connections between requests only: 300 connections that sent half a header each stayed for ever.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import h11
import orjson
from uvicorn.protocols.http.h11_impl import H11Protocol

from shared.runtime.http.problem import MEDIA_TYPE, REQUEST_TIMEOUT, UNAVAILABLE, HttpProblem, ProblemType
from shared.runtime.process import metrics

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send
    from uvicorn.config import Config

MAX_HEADER_BYTES = 16_384
MAX_HEADERS = 100
MIN_BYTES_PER_SECOND = 1_000
"""Each second beyond the time for a body has to bring so many bytes, as Apache's RequestReadTimeout asks for."""
BAD_REQUEST = ProblemType("", 400, "Bad Request")
HEADERS_TOO_LARGE = ProblemType("headers_too_large", 431, "the headers are too large")
_LINGER_SECONDS = 1.0
_REQUEST_PHASES = (h11.IDLE, h11.SEND_BODY)


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Connections of one process, and seconds for a request's headers and, without progress, for its body or the reading of an answer."""

    connections: int
    header_seconds: float
    body_seconds: float


def guarded_protocol(limits: ConnectionLimits) -> type[asyncio.Protocol]:
    """The protocol with these limits, as uvicorn's setting `http` takes it: it calls the class, which a partial serves as well."""
    return cast("type[asyncio.Protocol]", partial(GuardedProtocol, limits))


class GuardedProtocol(H11Protocol):
    """uvicorn's protocol with deadlines.

    It reads the attributes `connections`, `conn`, `flow`, `cycle` and `transport` of H11Protocol, which are no documented interface:
    tests/integration/runtime/http/test_connection_guard.py fails when they change.
    """

    def __init__(self, limits: ConnectionLimits, config: Config, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self._limits = limits
        self._deadline: asyncio.TimerHandle | None = None
        self._write_deadline: asyncio.TimerHandle | None = None
        self._phase: object = None
        self._body_since = 0.0
        self._body_bytes = 0
        self._refused = False
        self.waits_since = 0.0

    @property
    def is_waiting(self) -> bool:
        """Whether no request is being answered: then only the client's next bytes are awaited."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in H11Protocol
        """Accept the connection, if need be in place of the one that has waited longest; refuse it while all are being answered."""
        full = len(self.connections) >= self._limits.connections
        super().connection_made(transport)
        self.waits_since = self.loop.time()
        if full and not self._close_longest_waiting():
            metrics.HTTP_CONNECTIONS_CLOSED.labels("too_many").inc()
            self._refuse(HttpProblem(UNAVAILABLE, "too many connections: try again in a moment; nothing has been changed"))
            return
        self._enter(h11.IDLE)

    def data_received(self, data: bytes) -> None:
        """Read on; what is incomplete has a deadline."""
        if self._refused:
            return
        if self.conn.their_state is h11.SEND_BODY:
            self._body_bytes += len(data)
        super().data_received(data)
        self._follow_phase()

    def on_response_complete(self) -> None:
        """Wait for the rest of the request, or for the next one: that is bounded by uvicorn's keep-alive."""
        super().on_response_complete()
        self.waits_since = self.loop.time()
        if self.conn.their_state is h11.IDLE:
            self._enter(None)
        else:
            self._follow_phase()

    def send_400_response(self, msg: str) -> None:
        """A problem document in place of uvicorn's text; h11 distinguishes too large headers (431) from invalid ones."""
        error = sys.exc_info()[1]
        if isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == HEADERS_TOO_LARGE.status:
            self._refuse(header_problem())
        else:
            self._refuse(HttpProblem(BAD_REQUEST, f"{msg} Send HTTP/1.1 as RFC 9112 says"))

    def pause_writing(self) -> None:
        """The client reads its answer too slowly: it gets the time of a body for each full buffer."""
        super().pause_writing()
        self._write_deadline = self.loop.call_later(self._limits.body_seconds, self.abort, "slow_reader")

    def resume_writing(self) -> None:
        """The client read on."""
        super().resume_writing()
        self._cancel_write_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadlines."""
        self._enter(None)
        self._cancel_write_deadline()
        super().connection_lost(exc)

    def timeout_keep_alive_handler(self) -> None:
        """Close the idle connection, even if the client never reads what is left to send."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(self._limits.body_seconds, self.transport.abort)

    def _follow_phase(self) -> None:
        phase = self.conn.their_state
        self._enter(phase if phase in _REQUEST_PHASES and not self._refused and not self.transport.is_closing() else None)

    def _enter(self, phase: object) -> None:
        """Start the deadline of a phase, once: a byte now and then does not put it off."""
        if phase is self._phase:
            return
        self._phase = phase
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if phase is h11.IDLE:
            self._deadline = self.loop.call_later(self._limits.header_seconds, self._time_out, "slow_headers", "the headers")
        elif phase is h11.SEND_BODY:
            self._body_since, self._body_bytes = self.loop.time(), 0
            self._deadline = self.loop.call_later(self._limits.body_seconds, self._check_body)

    def _check_body(self) -> None:
        now = self.loop.time()
        if self.flow.read_paused:  # we do not read at present: that is not the client's fault
            self._body_since, self._body_bytes = now, 0
        # Once it is answered, the rest of a body is only read so that the client sees the answer.
        credit = 0.0 if self.is_waiting else self._body_bytes / MIN_BYTES_PER_SECOND
        left = self._body_since + self._limits.body_seconds + credit - now
        if left > 0:
            self._deadline = self.loop.call_later(left, self._check_body)
        else:
            self._time_out("slow_body", "the body")

    def _time_out(self, reason: str, what: str) -> None:
        if self.is_waiting and self._phase is h11.SEND_BODY:
            self.abort(reason)
            return
        metrics.HTTP_CONNECTIONS_CLOSED.labels(reason).inc()
        self._refuse(HttpProblem(REQUEST_TIMEOUT, f"{what} did not arrive in time: send the request again, without pauses"))

    def _refuse(self, problem: HttpProblem) -> None:
        """Answer with a problem, unless an answer has begun, and close."""
        self._enter(None)
        begun = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if self.cycle is not None:
            self.cycle.disconnected = True  # the application learns that the client is gone, and what it sends is dropped
            self.cycle.message_event.set()
        if not begun and self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(self._response(problem))
        # Closed at once, with bytes unread, the kernel would reset the connection, and the client might lose the answer.
        self._refused = True
        if self.transport.can_write_eof() and len(self.connections) <= 2 * self._limits.connections:
            self.transport.write_eof()
            self.loop.call_later(min(_LINGER_SECONDS, self._limits.body_seconds), self.transport.abort)
        else:
            self.transport.abort()

    def _response(self, problem: HttpProblem) -> bytes:
        body = orjson.dumps(problem.document())
        fields = {**problem.headers, "Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), "Connection": "close"}
        headers = [(name.encode(), value.encode()) for name, value in fields.items()]
        response = h11.Response(status_code=problem.type.status, headers=headers, reason=problem.type.title.encode())
        parts = (self.conn.send(response), self.conn.send(h11.Data(data=body)), self.conn.send(h11.EndOfMessage()))
        return b"".join(part or b"" for part in parts)

    def _close_longest_waiting(self) -> bool:
        """Whether a connection was closed that only waits: so half-open ones cannot shut out anyone who asks something."""
        waiting = [each for each in self.connections if isinstance(each, GuardedProtocol) and each is not self and each.is_waiting]
        if not waiting:
            return False
        min(waiting, key=lambda each: each.waits_since).abort("displaced")
        return True

    def abort(self, reason: str) -> None:
        """Close without an answer, and count why."""
        metrics.HTTP_CONNECTIONS_CLOSED.labels(reason).inc()
        self._enter(None)
        self.connections.discard(self)  # at once, since `connection_lost` comes in a later turn of the loop
        self.transport.abort()

    def _cancel_write_deadline(self) -> None:
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None


def header_problem() -> HttpProblem:
    """The 431 of too many or too large headers."""
    detail = f"send at most {MAX_HEADERS} headers of {MAX_HEADER_BYTES} bytes in all"
    return HttpProblem(HEADERS_TOO_LARGE, detail, headers={"Connection": "close"})


class HeaderLimits:
    """ASGI application that refuses too many or too large headers: h11 bounds only those that do not arrive in one piece."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 431, or pass the request on."""
        headers = scope.get("headers", ())
        target = (scope.get("raw_path", b""), scope.get("query_string", b""))
        size = sum(len(name) + len(value) for name, value in (*headers, target))
        if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
            await header_problem().to_response()(scope, receive, send)
        else:
            await self._app(scope, receive, send)
