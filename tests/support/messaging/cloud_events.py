"""Builds CloudEvents records and their signatures, and records as a consumer receives them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from shared.contracts.envelope import KEY_ID_HEADER, SIGNATURE_HEADER, CloudEventRecord
from shared.contracts.events import decode_event, encode_event
from shared.contracts.events.base import CaseEvent
from shared.contracts.topics import PARTITIONS, Topic
from shared.runtime.clock import uuid7
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.kafka.record import RawRecord, ReceivedRecord
from shared.runtime.kafka.signing import sign

Headers = list[tuple[str, bytes]]


def cloud_event(
    topic: Topic, key: str, event_type: str, body: Any, source: str = "/test", event_id: str = "", at: datetime | None = None
) -> CloudEventRecord:
    """A record to publish; `body` is bytes or becomes JSON, id and time are new unless given."""
    encoded = body if isinstance(body, bytes) else orjson.dumps(body)
    time = at or datetime.now(UTC)
    return CloudEventRecord(topic=topic.name, key=key, id=event_id or uuid7(), type=event_type, at=time, body=encoded, source=source)


def case_event(topic: Topic, event: CaseEvent, source: str = "/test") -> CloudEventRecord:
    """The record in which a service publishes the event."""
    return cloud_event(topic, event.case, event.type, encode_event(event), source, at=event.at)


def cloud_event_headers(topic: Topic, event_type: str, source: str = "/test", event_id: str = "") -> Headers:
    """The CloudEvents headers of a record, for tests that change some or send an invalid body."""
    return cloud_event(topic, "", event_type, b"", source, event_id).kafka_headers()


def signature_headers(private_key: bytes, key_id: str, record: CloudEventRecord) -> Headers:
    """The key id and the signature of a record; `private_key` is the raw Ed25519 key."""
    signature = sign(private_key, record.topic, record.key, record.id, record.body)
    return [(KEY_ID_HEADER, key_id.encode()), (SIGNATURE_HEADER, signature.encode())]


def raw_record(topic: str = "t", key: str = "k", body: bytes = b"", **fields: Any) -> RawRecord:
    """A record without headers as it arrived; `fields` as in RawRecord."""
    defaults: dict[str, Any] = {"partition": 0, "offset": 0, "timestamp_ms": 0, "timestamp_type": 1, "raw_key": key.encode(), "headers": ()}
    return RawRecord(topic=topic, key=key, body=body, **(defaults | fields))


def received_record(topic: Topic, event: CaseEvent, source: str, record_id: UUID | None = None) -> ReceivedRecord:
    """An event as the consumer hands it to a service: encoded and decoded, on the partition of its case."""
    body = encode_event(event)
    return ReceivedRecord(
        raw=raw_record(topic.name, event.case, body, partition=partition_of(event.case, PARTITIONS)),
        id=record_id or UUID(uuid7()),
        type=event.type,
        at=event.at,
        recorded_at=event.at,
        headers={},
        event=decode_event(event.type, body),
        source=source,
        sequence=1,
        traceparent=None,
    )
