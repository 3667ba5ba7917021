"""The spans of one process. OpenTelemetry is imported by `open`, where an endpoint is configured, and by nothing else."""

import asyncio
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from enum import Enum
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast

from shared.runtime.errors import Misconfigured
from shared.runtime.tracing.context import is_sampled

AttributeValue = str | int | float | bool
ATTRIBUTES = frozenset(
    (
        *("http.request.method", "http.route", "http.response.status_code", "error.type"),
        *("messaging.system", "messaging.operation.name", "messaging.operation.type", "messaging.destination.name"),
        *("messaging.destination.partition.id", "messaging.kafka.offset", "messaging.batch.message_count"),
        *("jiesu.case", "jiesu.event.id", "jiesu.event.type", "jiesu.due_at", "jiesu.late_seconds", "jiesu.mailbox"),
        *("jiesu.delivery", "jiesu.channel", "jiesu.provider", "jiesu.attempt", "jiesu.outcome"),
    )
)
"""Every attribute that a span may have. Ids, names of our own and codes: no path, query, address, key of a source or text."""


class SpanKind(Enum):
    """The kinds of OpenTelemetry."""

    INTERNAL = 0
    SERVER = 1
    CLIENT = 2
    PRODUCER = 3
    CONSUMER = 4


class Span(Protocol):
    """A span that has started; without `end` it is never exported."""

    @property
    def traceparent(self) -> str:
        """The parent that the span's children name."""
        ...

    def set(self, name: str, value: AttributeValue) -> None:
        """Add an attribute, one of `ATTRIBUTES`."""
        ...

    def rename(self, name: str) -> None:
        """Give the span a name that was not known at its start."""
        ...

    def end(self, error: str = "") -> None:
        """End the span, as failed with an `error`, which holds no personal data."""
        ...


class Tracer(Protocol):
    """Starts spans and exports them."""

    def start(
        self,
        name: str,
        kind: SpanKind,
        parent: str | None,
        link: str | None,
        attributes: Mapping[str, AttributeValue],
        started: datetime | None,
    ) -> Span:
        """A span below `parent`, or the first one of a new trace, linked to another trace."""
        ...

    def close(self) -> None:
        """Export what has ended; blocks for as long as the collector does, at most half a minute."""
        ...


class Tracing:
    """Starts the spans of a process; off without an `endpoint`, and until `open`.

    `endpoint` is the URL of OTLP over HTTP, `ratio` the share of new traces that is sampled, `headers` are those of every export.
    """

    def __init__(self, service: str, endpoint: str = "", ratio: float = 1.0, headers: Mapping[str, str] | None = None) -> None:
        # Checked here: a service that starts and silently exports nothing is noticed when the trace is needed.
        if endpoint and find_spec("opentelemetry.exporter") is None:
            raise Misconfigured("JIESU_TRACE_ENDPOINT: tracing needs further packages: install jiesu[tracing], or leave the setting empty")
        self._service = service
        self._endpoint = endpoint
        self._ratio = ratio
        self._headers = headers or {}
        self._tracer: Tracer | None = None

    def open(self) -> None:
        """Start to record and export, if an endpoint is configured."""
        if self._endpoint and self._tracer is None:
            otlp = import_module("shared.runtime.tracing.otlp")
            self._tracer = cast("Tracer", otlp.OtlpTracer(self._service, self._endpoint, self._ratio, self._headers))

    @property
    def is_on(self) -> bool:
        """Whether spans are recorded."""
        return self._tracer is not None

    def start(
        self,
        name: str,
        kind: SpanKind,
        parent: str | None,
        attributes: Mapping[str, AttributeValue],
        started: datetime | None = None,
    ) -> Span | None:
        """A span below `parent`, from `started` (real time) or now; None when tracing is off or the trace is not sampled."""
        if self._tracer is None or not is_sampled(parent):
            return None
        return self._tracer.start(name, kind, parent, None, attributes, started)

    def start_trace(self, name: str, kind: SpanKind, attributes: Mapping[str, AttributeValue], link: str | None = None) -> Span | None:
        """The first span of a new trace; None when tracing is off.

        A trace that is linked to a sampled one is sampled, others by the ratio. One that is not sampled has a traceparent all the same,
        which lets the next services leave it out too.
        """
        return None if self._tracer is None else self._tracer.start(name, kind, None, link, attributes, None)

    async def close(self, seconds: float) -> None:
        """Export what has ended, for at most `seconds`; later spans are not recorded."""
        tracer, self._tracer = self._tracer, None
        if tracer is None:
            return
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def close() -> None:
            try:
                tracer.close()
            finally:
                with suppress(RuntimeError):  # the loop has ended meanwhile
                    loop.call_soon_threadsafe(done.set)

        # A thread of its own: the interpreter waits at its end for those of a pool, as long as a frozen collector holds them.
        threading.Thread(target=close, name="close-tracing", daemon=True).start()
        try:
            async with asyncio.timeout(seconds):
                await done.wait()
        except TimeoutError:
            return
