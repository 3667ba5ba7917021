"""Kafka records: as they arrived, decoded, or failed."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import orjson

from shared.contracts.topics import COMPLAINT_SUBMISSIONS
from shared.runtime.process.failures import storable_text
from shared.runtime.tracing.context import Activity

LOG_APPEND_TIME = 1
"""The timestamp type of a topic whose timestamps are set by the broker."""
_MAX_KEY_LENGTH = 200


class KafkaRecord(Protocol):
    """The part of aiokafka's ConsumerRecord that is used."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRecord:
    """A record as it arrived: any bytes are possible in key, headers and body.

    `topic` is without the prefix of the settings, `key` the key as text that PostgreSQL can store, `raw_key` its bytes.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    timestamp_type: int
    key: str
    raw_key: bytes | None
    body: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    @classmethod
    def from_kafka(cls, record: KafkaRecord, topic_prefix: str, timestamp_ms: int | None = None) -> "RawRecord":
        """A record of the consumer; `timestamp_ms` replaces its timestamp."""
        return cls(
            topic=record.topic.removeprefix(topic_prefix),
            partition=record.partition,
            offset=record.offset,
            timestamp_ms=record.timestamp if timestamp_ms is None else timestamp_ms,
            timestamp_type=record.timestamp_type,
            key=(record.key or b"").decode("utf-8", "replace").replace("\x00", "\ufffd")[:_MAX_KEY_LENGTH],  # PostgreSQL stores no NUL
            raw_key=record.key,
            body=record.value,
            headers=tuple(record.headers),
        )

    def headers_json(self) -> str:
        """Headers as JSON text of [name, base64 or null] pairs."""
        pairs = [(storable_text(name), None if value is None else base64.b64encode(value).decode()) for name, value in self.headers]
        return orjson.dumps(pairs).decode()


def headers_from_json(text: str) -> tuple[tuple[str, bytes | None], ...]:
    """The inverse of `RawRecord.headers_json`."""
    return tuple((name, None if value is None else base64.b64decode(value)) for name, value in orjson.loads(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRecord:
    """A decoded and verified record.

    `at` is when its event happened (header ce_time), `recorded_at` the broker's timestamp in domain time, `event` the decoded model,
    `sender` the name in the organisation file that the signature proves, None without one.
    """

    raw: RawRecord
    id: UUID
    type: str
    at: datetime
    recorded_at: datetime
    headers: Mapping[str, str]
    event: Any
    source: str
    sequence: int | None
    traceparent: str | None
    sender: str | None = None

    @property
    def topic(self) -> str:
        """The topic without the prefix of the settings."""
        return self.raw.topic

    @property
    def key(self) -> str:
        """The case id; on complaint-submissions the source's reference."""
        return self.raw.key

    @property
    def case(self) -> str:
        """The case id; empty on complaint-submissions, whose key may be a name or a phone number: it is neither logged nor traced."""
        return "" if self.raw.topic == COMPLAINT_SUBMISSIONS.name else self.raw.key

    @property
    def activity(self) -> Activity:
        """The activity of code that works on this record alone."""
        return Activity(self.traceparent, self.case, str(self.id))

    @property
    def partition(self) -> int:
        """The partition number, the same for all records of a case."""
        return self.raw.partition

    @property
    def offset(self) -> int:
        """The offset within the partition."""
        return self.raw.offset

    @property
    def body(self) -> bytes:
        """The encoded body, which a signature covers."""
        return self.raw.body or b""


@dataclass(frozen=True, slots=True)
class FailedRecord:
    """A record that could not be decoded, verified or applied; `reason` holds no personal data, `sender` is the proven one."""

    raw: RawRecord
    reason: str
    sender: str | None = None
