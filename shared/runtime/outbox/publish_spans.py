"""A span for the messages of one trace and case in a row of the outbox, from the transaction that wrote it to the acknowledgement."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.contracts.envelope import CE_TYPE, TRACEPARENT_HEADER
from shared.runtime.tracing.context import is_sampled
from shared.runtime.tracing.spans import Span, SpanKind, Tracing


@dataclass(slots=True)
class _Publishing:
    span: Span
    indices: list[int] = field(default_factory=list)
    types: set[str] = field(default_factory=set)


class PublishSpans:
    """The spans of one relay cycle."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing
        self._messages = 0
        self._spans: dict[tuple[int, str, str], _Publishing] = {}

    def follow(self, row: int, topic: str, key: str, headers: list[list[str]], written_at: datetime) -> None:
        """Count a message, and replace its traceparent by that of its span, if its trace is sampled."""
        index, self._messages = self._messages, self._messages + 1
        for header in headers:
            if header[0] == TRACEPARENT_HEADER:
                if is_sampled(header[1]) and (publishing := self._publishing(row, topic, key, header[1], written_at)) is not None:
                    publishing.indices.append(index)
                    publishing.types.update(value for name, value in headers if name == CE_TYPE)
                    header[1] = publishing.span.traceparent
                return

    def end(self, outcomes: Sequence[BaseException | None]) -> None:
        """End the spans whose messages were all acknowledged; the others are left out, their messages are sent again under new ones."""
        for publishing in self._spans.values():
            if all(outcomes[index] is None for index in publishing.indices):
                publishing.span.set("messaging.batch.message_count", len(publishing.indices))
                publishing.span.set("jiesu.event.type", ", ".join(sorted(publishing.types)))
                publishing.span.end()

    def _publishing(self, row: int, topic: str, key: str, parent: str, written_at: datetime) -> _Publishing | None:
        known = self._spans.get((row, key, parent))
        if known is not None:
            return known
        attributes = {
            "messaging.system": "kafka",
            "messaging.operation.name": "publish",
            "messaging.operation.type": "send",
            "messaging.destination.name": topic,
            "jiesu.case": key,
        }
        span = self._tracing.start(f"publish {topic}", SpanKind.PRODUCER, parent, attributes, written_at)
        if span is None:
            return None
        self._spans[row, key, parent] = publishing = _Publishing(span)
        return publishing
