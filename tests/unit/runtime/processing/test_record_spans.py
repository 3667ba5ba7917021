"""The spans of a batch: below the one that published the record, ended with what became of it."""

from datetime import UTC, datetime
from uuid import UUID

from shared.contracts.topics import CASE_EVENTS, COMPLAINT_SUBMISSIONS
from shared.runtime.kafka.record import LOG_APPEND_TIME, FailedRecord, RawRecord, ReceivedRecord
from shared.runtime.processing.record_spans import RecordSpans
from shared.runtime.tracing.context import is_sampled
from shared.runtime.tracing.spans import ATTRIBUTES, Tracing
from tests.support.servers.otlp_receiver import OtlpReceiver

AT = datetime(2026, 9, 24, tzinfo=UTC)
TRACE, PARENT = "a" * 32, "b" * 16
SAMPLED, UNSAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"


def raw(offset: int, topic: str = CASE_EVENTS.name) -> RawRecord:
    return RawRecord(
        topic=topic,
        partition=3,
        offset=offset,
        timestamp_ms=0,
        timestamp_type=LOG_APPEND_TIME,
        key="13812345678",
        raw_key=b"13812345678",
        body=b"{}",
        headers=(),
    )


def record(offset: int, traceparent: str | None, topic: str = CASE_EVENTS.name) -> ReceivedRecord:
    return ReceivedRecord(
        raw=raw(offset, topic),
        id=UUID(int=offset),
        type="noted",
        at=AT,
        recorded_at=AT,
        headers={},
        event=None,
        source="s",
        sequence=None,
        traceparent=traceparent,
    )


async def test_record_is_processed_below_its_publishing_and_passes_its_own_span_on(tracing: Tracing, receiver: OtlpReceiver) -> None:
    decoded: list[ReceivedRecord | FailedRecord] = [record(1, SAMPLED), record(2, UNSAMPLED), FailedRecord(raw(3), "no key")]
    [first, second, failed], spans = RecordSpans(tracing).start(decoded)
    spans.end()
    await tracing.close(5)
    [span] = receiver.spans
    assert (span.name, span.kind, span.trace, span.parent) == ("process case-events", "CONSUMER", TRACE, PARENT)
    assert isinstance(first, ReceivedRecord)
    assert first.traceparent == f"00-{TRACE}-{span.id}-01"
    assert (second, failed) == (decoded[1], decoded[2])
    assert span.attributes["jiesu.event.id"] == str(UUID(int=1))
    assert span.attributes.keys() <= ATTRIBUTES


async def test_dead_letter_is_a_failed_span_beside_those_of_its_batch(tracing: Tracing, receiver: OtlpReceiver) -> None:
    decoded, spans = RecordSpans(tracing).start([record(1, SAMPLED), record(2, SAMPLED)])
    failed = decoded[1]
    assert isinstance(failed, ReceivedRecord)
    spans.end([FailedRecord(failed.raw, "ValueError")])
    await tracing.close(5)
    assert [(span.attributes["messaging.kafka.offset"], span.failed) for span in receiver.spans] == [(1, False), (2, True)]


async def test_submission_without_a_trace_begins_one_and_its_reference_is_not_exported(tracing: Tracing, receiver: OtlpReceiver) -> None:
    [begun], spans = RecordSpans(tracing).start([record(1, None, COMPLAINT_SUBMISSIONS.name)])
    assert isinstance(begun, ReceivedRecord)
    assert is_sampled(begun.traceparent)
    spans.end()
    await tracing.close(5)
    assert receiver.spans[0].parent == ""
    assert not any(b"13812345678" in body for body in receiver.bodies)


def test_nothing_is_changed_while_tracing_is_off() -> None:
    decoded = [record(1, SAMPLED)]
    started, spans = RecordSpans(Tracing("probe")).start(decoded)
    spans.end()
    assert started == decoded
