"""A span for each record of a batch, below the one that published it, from its decoding to the commit."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from shared.runtime.kafka.record import FailedRecord, ReceivedRecord
from shared.runtime.tracing.spans import AttributeValue, Span, SpanKind, Tracing

# Not FastStream's KafkaTelemetryMiddleware: it makes one span of a poll, whose thousand records belong to as many traces (ADR 65).


class RecordSpans:
    """Starts spans of records; the spans of one batch are ended together."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    def start(self, decoded: Sequence[ReceivedRecord | FailedRecord]) -> tuple[list[ReceivedRecord | FailedRecord], "BatchSpans"]:
        """The records with the traceparent of their span, which becomes the parent of what they cause."""
        spans = BatchSpans()
        if not self._tracing.is_on:
            return list(decoded), spans
        return [self._start_record(record, spans) if isinstance(record, ReceivedRecord) else record for record in decoded], spans

    def _start_record(self, record: ReceivedRecord, spans: "BatchSpans") -> ReceivedRecord:
        name, parent = f"process {record.topic}", record.traceparent
        if parent is None:
            # From a producer without traces: here its trace begins.
            span = self._tracing.start_trace(name, SpanKind.CONSUMER, _attributes(record))
        else:
            span = self._tracing.start(name, SpanKind.CONSUMER, parent, _attributes(record))
        if span is None:
            return record
        spans.add(record, span)
        return replace(record, traceparent=span.traceparent)


class BatchSpans:
    """The spans of one batch that are not ended."""

    def __init__(self) -> None:
        self._spans: dict[tuple[str, int, int], Span] = {}

    def add(self, record: ReceivedRecord, span: Span) -> None:
        """Add the span of a record."""
        self._spans[record.topic, record.partition, record.offset] = span

    def end(self, failures: Iterable[FailedRecord] = (), error: str = "") -> None:
        """End the spans: those of failed records with their reasons, the others with `error`, if there is one."""
        if not self._spans:
            return
        reasons = {(each.raw.topic, each.raw.partition, each.raw.offset): each.reason for each in failures}
        for position, span in self._spans.items():
            span.end(reasons.get(position, error))
        self._spans.clear()


def _attributes(record: ReceivedRecord) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": record.topic,
        "messaging.destination.partition.id": str(record.partition),
        "messaging.kafka.offset": record.offset,
        "jiesu.event.id": str(record.id),
        "jiesu.event.type": record.type,
    }
    if record.case:
        attributes["jiesu.case"] = record.case
    return attributes
