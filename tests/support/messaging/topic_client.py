"""What the tests of intake and triage share: an organisation with a procedure on disk, settings, Kafka in and out."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord, TopicPartition

from shared.contracts.topics import PARTITIONS, Topic
from shared.runtime.process.settings import RuntimeSettings

SEALING_KEYS = "k1:" + "A" * 43 + "="
API_KEYS = {"web": "web-key", "hotline": "hotline-key", "slow": "slow-key"}
PROCEDURE: dict[str, Any] = {
    "id": "shop",
    "version": 3,
    "title": {"zh": "投诉", "en": "Complaints"},
    "register": {"number": "TS-{year}-{seq:05}", "required": ["text", "received_at", "complainant.phone"], "clause": "2"},
    "roles": ["handler"],
    "facts": {
        "media": {"type": "bool", "default": False},
        "persons": {"type": "int", "default": 1},
        "policy": {"type": "text", "default": ""},
        "fault_kind": {"type": "text", "default": ""},
    },
    "classes": [
        {"id": "urgent", "rule": "media", "when": "facts.media", "clause": "4.1"},
        {"id": "batch", "when": "facts.persons > 1000", "clause": "4.2"},
        {"id": "ordinary", "clause": "4.3"},
    ],
    "subjects": [{"id": "lift", "words": ["电梯"], "department": "engineering"}],
    "counts": [
        {
            "id": "same_policy",
            "key": "facts.policy",
            "threshold": 3,
            "clause": "5.1",
            "does": {"as": "group", "reclassify": "batch", "rule": "mass"},
        },
        {
            "id": "burst",
            "key": "facts.fault_kind",
            "threshold": 4,
            "window": "30m",
            "clause": "5.2",
            "does": {"as": "same_event", "reclassify": "batch"},
        },
    ],
    "forms": [{"id": "handling_sheet", "clause": "2"}, {"id": "later", "opens": "routed"}],
}
SOURCES: list[dict[str, Any]] = [
    {"id": "web", "procedure": "procedure.yaml", "key_sha256": [sha256(b"web-key").hexdigest()]},
    {"id": "hotline", "procedure": "procedure.yaml", "channels": ["hotline"], "key_sha256": [sha256(b"hotline-key").hexdigest()]},
    {"id": "slow", "procedure": "procedure.yaml", "rate_per_second": 0.01, "key_sha256": [sha256(b"slow-key").hexdigest()]},
]


def write_organisation(folder: Path, **changes: Any) -> Path:
    """An organisation file and its procedure in the folder."""
    (folder / "procedure.yaml").write_text(yaml.safe_dump(PROCEDURE, allow_unicode=True), encoding="utf-8")
    departments = [{"id": "engineering"}, {"id": "unassigned"}]
    content = {"id": "test", "departments": departments, "sources": SOURCES} | changes
    path = folder / "organisation.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def submission_body(**fields: Any) -> dict[str, Any]:
    """A submission as a system would send it."""
    who = {"name": "王先生", "phone": "138 0000 1234"}
    return {"received_at": datetime.now(UTC).isoformat(), "text": "3号楼电梯停运", "channel": "hotline", "complainant": who} | fields


def cloud_event_headers(event_type: str, source: str = "web", event_id: str | None = None) -> list[tuple[str, bytes]]:
    """The CloudEvents headers of a record."""
    pairs = {"ce_id": event_id or str(uuid4()), "ce_type": event_type, "ce_time": datetime.now(UTC).isoformat(), "ce_source": source}
    return [(name, value.encode()) for name, value in pairs.items()]


class TopicClient:
    """Writes to and reads from one test's topics."""

    def __init__(self, producer: AIOKafkaProducer, settings: RuntimeSettings) -> None:
        self._producer = producer
        self._settings = settings

    async def send(self, topic: Topic, key: str, value: Any, headers: Sequence[tuple[str, bytes | None]]) -> None:
        """Send one record; `value` is bytes or becomes JSON."""
        body = value if isinstance(value, bytes) else orjson.dumps(value)
        await self._producer.send_and_wait(f"{self._settings.topic_prefix}{topic.name}", body, key=key.encode(), headers=list(headers))

    async def read_records(self, topic: Topic) -> list[ConsumerRecord]:
        """Everything that the topic holds now, partition by partition."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._settings.kafka_bootstrap_servers, auto_offset_reset="earliest")
        await consumer.start()
        try:
            partitions = [TopicPartition(f"{self._settings.topic_prefix}{topic.name}", p) for p in range(PARTITIONS)]
            consumer.assign(partitions)
            total = sum((await consumer.end_offsets(partitions)).values())
            records: list[ConsumerRecord] = []
            while len(records) < total:
                for batch in (await consumer.getmany(timeout_ms=1000)).values():
                    records.extend(batch)
            return sorted(records, key=lambda r: (r.partition, r.offset))
        finally:
            await consumer.stop()

    async def read_events(self, topic: Topic) -> list[tuple[str, str, dict[str, Any]]]:
        """Type, key and body of every record."""
        return [(record_type(record), record.key.decode(), orjson.loads(record.value)) for record in await self.read_records(topic)]


def record_type(record: ConsumerRecord) -> str:
    """The record's `ce_type`."""
    return str(dict(record.headers)["ce_type"].decode())


@asynccontextmanager
async def open_topic_client(settings: RuntimeSettings) -> AsyncIterator[TopicClient]:
    """A `Wire` for the length of a block."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await producer.start()
    try:
        yield TopicClient(producer, settings)
    finally:
        await producer.stop()
