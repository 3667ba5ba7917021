"""Traces of what was put off, linked to the event that put it off: days may lie between the two, too long for one trace."""

from collections.abc import Mapping

from shared.runtime.tracing.spans import AttributeValue, Span, SpanKind, Tracing


class LinkedTraces:
    """The first spans of such traces, which end together when what they did is committed."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing
        self._spans: list[Span] = []

    def start(self, name: str, armed_by: str | None, attributes: Mapping[str, AttributeValue]) -> str | None:
        """The traceparent of a new trace, as the parent of what is done; that of the arming event while tracing is off."""
        span = self._tracing.start_trace(name, SpanKind.INTERNAL, attributes, armed_by)
        if span is None:
            return armed_by
        self._spans.append(span)
        return span.traceparent

    def end(self) -> None:
        """End the spans."""
        for span in self._spans:
            span.end()
        self._spans.clear()
