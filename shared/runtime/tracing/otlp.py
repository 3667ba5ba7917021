"""Spans by the OpenTelemetry SDK, exported by OTLP over HTTP (protobuf). Imported only where tracing is configured."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)
from opentelemetry.trace import Span as OpenTelemetrySpan
from opentelemetry.trace import SpanKind as OpenTelemetryKind
from opentelemetry.util.types import Attributes

from shared.runtime.clock import uuid7
from shared.runtime.tracing.spans import AttributeValue, Span, SpanKind

_EXPORT_SECONDS = 5.0
_KINDS = {kind: OpenTelemetryKind[kind.name] for kind in SpanKind}


class LinkOrRatio(Sampler):
    """Samples a new trace that is linked to a sampled one, so that a timer is found from its complaint, and a share of the others."""

    def __init__(self, ratio: float) -> None:
        self._by_ratio = TraceIdRatioBased(ratio)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: OpenTelemetryKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """The decision for the first span of a trace."""
        if links and any(link.context.trace_flags.sampled for link in links):
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, trace_state)
        return self._by_ratio.should_sample(parent_context, trace_id, name, kind, attributes, links)

    def get_description(self) -> str:
        """Shown by tools of OpenTelemetry."""
        return f"LinkOr{self._by_ratio.get_description()}"


class OtlpSpan:
    """A span of the SDK."""

    __slots__ = ("_span", "traceparent")

    def __init__(self, span: OpenTelemetrySpan) -> None:
        self._span = span
        context = span.get_span_context()
        self.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def set(self, name: str, value: AttributeValue) -> None:
        """Add an attribute."""
        self._span.set_attribute(name, value)

    def rename(self, name: str) -> None:
        """Give the span another name."""
        self._span.update_name(name)

    def end(self, error: str = "") -> None:
        """End the span; its times are real ones, whatever clock the demo runs on."""
        if error:
            self._span.set_status(Status(StatusCode.ERROR, error))
        self._span.end()


class OtlpTracer:
    """The SDK for one service; its variables hold too, such as OTEL_BSP_MAX_QUEUE_SIZE and OTEL_EXPORTER_OTLP_CERTIFICATE."""

    def __init__(self, service: str, endpoint: str, ratio: float, headers: Mapping[str, str]) -> None:
        # A provider of our own, not the global one: libraries that instrument themselves would export paths, queries and texts by it.
        self._provider = TracerProvider(
            sampler=ParentBased(root=LinkOrRatio(ratio)),
            resource=Resource.create({"service.namespace": "jiesu", "service.name": service, "service.instance.id": uuid7()}),
            shutdown_on_exit=False,  # `close` is bounded, the handler would wait for half a minute
        )
        exporter = OTLPSpanExporter(endpoint=endpoint, headers=dict(headers), timeout=_EXPORT_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("jiesu")

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
        span = self._tracer.start_span(
            name,
            # An empty context, not the current one: the parent of a span is what a message or a request says, nothing that runs beside.
            Context() if parent is None else set_span_in_context(NonRecordingSpan(_span_context(parent)), Context()),
            _KINDS[kind],
            attributes,
            links=[] if link is None else [Link(_span_context(link))],
            start_time=None if started is None else int(started.timestamp() * 1_000_000) * 1000,
        )
        return OtlpSpan(span)

    def close(self) -> None:
        """Export what has ended."""
        self._provider.shutdown()


def _span_context(traceparent: str) -> SpanContext:
    _, trace, span, flags = traceparent.split("-")
    return SpanContext(int(trace, 16), int(span, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
