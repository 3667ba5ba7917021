"""A Kafka record as a handler gets it, or as a dead letter keeps it; any header, key and body is survived."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import orjson

from shared.runtime.process.failures import storable_text

LOG_APPEND_TIME = 1


class KafkaRecord(Protocol):
    """What we read of aiokafka's ConsumerRecord."""

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
    """A record as it arrived; `topic` is without our prefix, `key` is text that can be stored, `raw_key` the bytes."""

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
    def from_kafka(cls, record: KafkaRecord, topic_prefix: str) -> "RawRecord":
        """Take a record from the consumer."""
        key = storable_text((record.key or b"").decode("utf-8", "replace"), 200)
        return cls(
            topic=record.topic.removeprefix(topic_prefix),
            partition=record.partition,
            offset=record.offset,
            timestamp_ms=record.timestamp,
            timestamp_type=record.timestamp_type,
            key=key,
            raw_key=record.key,
            body=record.value,
            headers=tuple(record.headers),
        )

    def headers_json(self) -> str:
        """Headers as JSON text of [name, base64 or null], which any bytes survive."""
        pairs = [(storable_text(name), None if value is None else base64.b64encode(value).decode()) for name, value in self.headers]
        return orjson.dumps(pairs).decode()


def headers_from_json(text: str) -> tuple[tuple[str, bytes | None], ...]:
    """The reverse of `Raw.headers_json`."""
    return tuple((name, None if value is None else base64.b64decode(value)) for name, value in orjson.loads(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRecord:
    """A decoded record: `at` is when its event happened (ce_time), `recorded` the broker's timestamp in domain time."""

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

    @property
    def topic(self) -> str:
        """The topic without our prefix."""
        return self.raw.topic

    @property
    def key(self) -> str:
        """The case id."""
        return self.raw.key

    @property
    def partition(self) -> int:
        """The partition, the same for all records of a case."""
        return self.raw.partition

    @property
    def offset(self) -> int:
        """The place in the partition."""
        return self.raw.offset

    @property
    def body(self) -> bytes:
        """The bytes that were decoded, as a signature covers them."""
        return self.raw.body or b""


@dataclass(frozen=True, slots=True)
class FailedRecord:
    """A record that cannot be handed to anyone, and why."""

    raw: RawRecord
    reason: str
