"""Records with any header, key and body are decoded or fail with a reason."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import BaseModel

from shared.contracts.events.base import CaseEvent
from shared.runtime.clock import Clock
from shared.runtime.errors import Rejected
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.kafka.record import FailedRecord, RawRecord, ReceivedRecord
from shared.runtime.kafka.record_decoder import RecordDecoder

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HEADERS = (
    ("ce_id", b"018f0000-0000-7000-8000-000000000001"),
    ("ce_type", b"noted"),
    ("ce_time", b"2026-01-05T09:00:00+08:00"),
    ("ce_source", b"/x"),
    ("ce_sequence", b"7"),
    ("traceparent", TRACEPARENT.encode()),
)


class Note(BaseModel):
    text: str


@dataclass
class ConsumerRecord:
    topic: str = "p.case-actions"
    partition: int = partition_of("case-1", 24)
    offset: int = 3
    timestamp: int = 1_767_574_800_000
    timestamp_type: int = 1
    key: bytes | None = b"case-1"
    value: bytes | None = b'{"text": "hello"}'
    headers: Sequence[tuple[str, bytes | None]] = field(default=HEADERS)


def decode_note(_: str, body: bytes) -> Note:
    return Note.model_validate_json(body)


def decode(record: ConsumerRecord, **options: object) -> ReceivedRecord | FailedRecord:
    decoder = RecordDecoder(decode_note, Clock(), **options)  # type: ignore[arg-type]
    return decoder.decode(RawRecord.from_kafka(record, "p."), 24)


def failure_reason(record: ConsumerRecord) -> str:
    failed = decode(record)
    assert isinstance(failed, FailedRecord)
    return failed.reason


def replaced_header(name: str, value: bytes | None) -> tuple[tuple[str, bytes | None], ...]:
    return tuple((header, value if header == name else original) for header, original in HEADERS)


def test_valid_record_is_decoded() -> None:
    received = decode(ConsumerRecord())
    assert isinstance(received, ReceivedRecord)
    assert (received.topic, received.key, received.offset, received.type) == ("case-actions", "case-1", 3, "noted")
    assert (received.source, received.sequence, received.traceparent) == (
        "/x",
        7,
        TRACEPARENT,
    )
    assert received.id == UUID("018f0000-0000-7000-8000-000000000001")
    assert received.at == datetime(2026, 1, 5, 1, tzinfo=UTC)
    assert received.recorded_at == datetime(2026, 1, 5, 1, tzinfo=UTC)
    assert received.event == Note(text="hello")


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_time"])
@pytest.mark.parametrize("value", [None, b"\xff\xfe", b""])
def test_required_header_that_is_null_or_not_text_fails_the_record(name: str, value: bytes | None) -> None:
    assert name in failure_reason(ConsumerRecord(headers=replaced_header(name, value)))


def test_other_headers_may_be_null_or_not_text() -> None:
    received = decode(ConsumerRecord(headers=(*HEADERS, ("odd", None), ("worse", b"\xff\xfe"))))
    assert isinstance(received, ReceivedRecord)


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        (ConsumerRecord(key=None), "no key"),
        (ConsumerRecord(key=b"\xff", partition=partition_of(b"\xff", 24)), "UTF-8"),
        (ConsumerRecord(key=b"a\x00b", partition=partition_of(b"a\x00b", 24)), "printable"),
        (ConsumerRecord(partition=(partition_of("case-1", 24) + 1) % 24), "not on its key's partition"),
        (ConsumerRecord(value=None), "json_invalid"),
        (ConsumerRecord(value=b"\xff"), "json_invalid"),
        (ConsumerRecord(value=b'{"text": 5}'), "text: string_type"),
        (ConsumerRecord(headers=replaced_header("ce_id", b"x")), "not a UUID"),
        (ConsumerRecord(headers=replaced_header("ce_time", b"soon")), "ISO 8601"),
        (ConsumerRecord(headers=replaced_header("ce_time", b"2026-01-05T09:00:00")), "no offset"),
    ],
)
def test_failed_record_names_the_rule(record: ConsumerRecord, rule: str) -> None:
    assert rule in failure_reason(record)


@pytest.mark.parametrize(("case", "fails"), [("case-1", False), ("case-2", True)])
def test_an_event_under_the_key_of_another_case_fails(case: str, fails: bool) -> None:
    event = CaseEvent(case=case, at=datetime(2026, 1, 5, tzinfo=UTC))
    raw = RawRecord.from_kafka(ConsumerRecord(), "p.")
    decoded = RecordDecoder(lambda _name, _body: event, Clock()).decode(raw, 24)
    assert isinstance(decoded, FailedRecord) is fails
    assert not fails or (isinstance(decoded, FailedRecord) and "send it with the case as key" in decoded.reason)


def test_reason_holds_no_value_of_the_record() -> None:
    assert "13800000000" not in failure_reason(ConsumerRecord(value=b'{"text": 13800000000}'))


def test_record_that_verify_rejects_fails() -> None:
    def refuse(_: ReceivedRecord) -> None:
        raise Rejected("unsigned", park=False)

    failed = decode(ConsumerRecord(), verify=refuse)
    assert isinstance(failed, FailedRecord)
    assert failed.reason == "unsigned"


def test_timestamp_of_a_producer_is_replaced_by_the_present() -> None:
    received = decode(replace(ConsumerRecord(), timestamp_type=0, timestamp=0))
    assert isinstance(received, ReceivedRecord)
    assert received.recorded_at.year >= 2026


@pytest.mark.parametrize(
    ("headers", "processed"),
    [
        (HEADERS, True),
        ((("ce_type", b"closed"),), False),
        ((("ce_type", b"newer_than_this_service"),), False),
        ((("ce_type", None),), True),  # without a type it becomes a dead letter
        ((), True),
        ((("ce_type", b"noted"), ("ce_by", b"probe")), False),  # an own echo
        ((("ce_type", b"noted"), ("ce_by", b"another")), True),
    ],
)
def test_other_event_types_and_own_echoes_are_skipped(headers: Sequence[tuple[str, bytes | None]], processed: bool) -> None:
    decoder = RecordDecoder(decode_note, Clock(), event_types={"case-actions": frozenset({"noted"})}, own_echoes={("noted", "probe")})
    assert decoder.should_process("case-actions", headers) is processed


def test_all_types_of_a_topic_without_event_types_are_processed() -> None:
    assert RecordDecoder(decode_note, Clock(), event_types={"case-events": frozenset()}).should_process("case-actions", HEADERS)


def test_a_traceparent_that_is_not_one_is_dropped() -> None:
    received = decode(ConsumerRecord(headers=replaced_header("traceparent", b"x" * 1_000_000)))
    assert isinstance(received, ReceivedRecord)
    assert received.traceparent is None


def verify_by_name(received: ReceivedRecord) -> str:
    return received.headers["ce_source"]


def test_the_verified_sender_is_known_also_of_a_body_that_cannot_be_decoded() -> None:
    received = decode(ConsumerRecord(), verify=verify_by_name)
    undecodable = decode(ConsumerRecord(value=b"x"), verify=verify_by_name)
    assert isinstance(received, ReceivedRecord)
    assert isinstance(undecodable, FailedRecord)
    assert (received.sender, undecodable.sender) == ("/x", "/x")


def test_a_record_that_fails_its_verification_has_no_sender() -> None:
    def reject(_: ReceivedRecord) -> str:
        raise Rejected("forged")

    for record in (ConsumerRecord(), ConsumerRecord(value=b"x")):
        failed = decode(record, verify=reject)
        assert isinstance(failed, FailedRecord)
        assert failed.sender is None
