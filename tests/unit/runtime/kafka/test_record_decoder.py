"""Any header, key and body is survived."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.runtime.clock import Clock
from shared.runtime.errors import Rejected
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.kafka.record import FailedRecord, RawRecord, ReceivedRecord, headers_from_json
from shared.runtime.kafka.record_decoder import RecordDecoder

GOOD = (
    ("ce_id", b"018f0000-0000-7000-8000-000000000001"),
    ("ce_type", b"noted"),
    ("ce_time", b"2026-01-05T09:00:00+08:00"),
    ("ce_source", b"/x"),
    ("ce_sequence", b"7"),
    ("traceparent", b"00-1-2-01"),
)


class Note(BaseModel):
    text: str


@dataclass
class Record:
    topic: str = "p.case-actions"
    partition: int = partition_of("case-1", 24)
    offset: int = 3
    timestamp: int = 1_767_574_800_000
    timestamp_type: int = 1
    key: bytes | None = b"case-1"
    value: bytes | None = b'{"text": "hello"}'
    headers: Sequence[tuple[str, bytes | None]] = field(default=GOOD)


def read(record: Record, **options: object) -> ReceivedRecord | FailedRecord:
    reader = RecordDecoder(lambda _, body: Note.model_validate_json(body), Clock(), **options)  # type: ignore[arg-type]
    return reader.decode(RawRecord.from_kafka(record, "p."), 24)


def why(record: Record) -> str:
    bad = read(record)
    assert isinstance(bad, FailedRecord)
    return bad.reason


def test_a_good_record_is_received_whole() -> None:
    got = read(Record())
    assert isinstance(got, ReceivedRecord)
    assert (got.topic, got.key, got.offset, got.type, got.sequence) == ("case-actions", "case-1", 3, "noted", 7)
    assert got.id == UUID("018f0000-0000-7000-8000-000000000001")
    assert got.at == datetime(2026, 1, 5, 1, tzinfo=UTC)
    assert got.recorded_at == datetime(2026, 1, 5, 1, tzinfo=UTC)
    assert got.event == Note(text="hello")


@given(st.binary(max_size=200))
def test_the_hash_is_aiokafkas_too(key: bytes) -> None:
    assert murmur2(key) == aiokafkas(key) & 0xFFFFFFFF


@pytest.mark.parametrize(("key", "expected"), [("", 275646681), ("21", -973932308), ("foobar", -790332482)])
def test_the_partition_is_that_of_kafkas_own_murmur2(key: str, expected: int) -> None:
    assert partition_of(key, 24) == (expected & 0x7FFFFFFF) % 24  # the values stand in Kafka's own tests of Utils.murmur2


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_time"])
@pytest.mark.parametrize("value", [None, b"\xff\xfe", b""])
def test_a_needed_header_that_is_null_or_not_text_makes_a_bad_record_not_an_error(name: str, value: bytes | None) -> None:
    headers = tuple((n, value if n == name else v) for n, v in GOOD)
    assert name in why(Record(headers=headers))


def test_any_other_header_may_be_null_or_not_text() -> None:
    got = read(Record(headers=(*GOOD, ("odd", None), ("worse", b"\xff\xfe"))))
    assert isinstance(got, ReceivedRecord)


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        (Record(key=None), "no key"),
        (Record(key=b"\xff", partition=partition_of(b"\xff", 24)), "UTF-8"),
        (Record(key=b"a\x00b", partition=partition_of(b"a\x00b", 24)), "printable"),
        (Record(partition=(partition_of("case-1", 24) + 1) % 24), "not on its key's partition"),
        (Record(value=None), "json_invalid"),
        (Record(value=b"\xff"), "json_invalid"),
        (Record(value=b'{"text": 5}'), "text: string_type"),
        (Record(headers=tuple((n, b"x" if n == "ce_id" else v) for n, v in GOOD)), "not a UUID"),
        (Record(headers=tuple((n, b"soon" if n == "ce_time" else v) for n, v in GOOD)), "ISO 8601"),
        (Record(headers=tuple((n, b"2026-01-05T09:00:00" if n == "ce_time" else v) for n, v in GOOD)), "no offset"),
    ],
)
def test_a_bad_record_names_the_rule(record: Record, rule: str) -> None:
    assert rule in why(record)


def test_a_reason_never_holds_a_value_of_the_record() -> None:
    assert "13800000000" not in why(Record(value=b'{"text": 13800000000}'))


def test_what_verify_rejects_is_bad() -> None:
    def refuse(_: ReceivedRecord) -> None:
        raise Rejected("unsigned", park=False)

    got = read(Record(), verify=refuse)
    assert isinstance(got, FailedRecord)
    assert got.reason == "unsigned"


def test_a_producers_own_timestamp_is_not_believed() -> None:
    got = read(replace(Record(), timestamp_type=0, timestamp=0))
    assert isinstance(got, ReceivedRecord)
    assert got.recorded_at.year >= 2026


def test_headers_survive_being_kept() -> None:
    headers = (("a", None), ("b", b"\x00\xff"), ("c", b""))
    assert headers_from_json(RawRecord.from_kafka(Record(headers=headers), "").headers_json()) == headers


def decode(_: str, body: bytes) -> Note:
    return Note.model_validate_json(body)


@pytest.mark.parametrize(
    ("headers", "read"),
    [
        (GOOD, True),
        ((("ce_type", b"closed"),), False),
        ((("ce_type", b"newer_than_we_are"),), False),
        ((("ce_type", None),), True),  # without a type it becomes a dead letter, and is not passed over in silence
        ((), True),
        ((("ce_type", b"noted"), ("ce_by", b"probe")), False),  # its own decision, told again by another
        ((("ce_type", b"noted"), ("ce_by", b"somebody")), True),
    ],
)
def test_types_of_no_concern_are_passed_over(headers: Sequence[tuple[str, bytes | None]], read: bool) -> None:
    reader = RecordDecoder(decode, Clock(), event_types={"case-actions": frozenset({"noted"})}, own_echoes={("noted", "probe")})
    assert reader.should_process("case-actions", headers) is read


def test_a_topic_without_concerns_is_read_whole() -> None:
    assert RecordDecoder(decode, Clock(), event_types={"case-events": frozenset()}).should_process("case-actions", GOOD)
