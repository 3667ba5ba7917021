"""Reads topics from beginning to end without a consumer group, so that no offsets are committed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from shared.contracts import envelope
from shared.contracts.topics import PARTITIONS
from shared.runtime.kafka.connection import connection_options
from shared.runtime.process.settings import RuntimeSettings

_POLL_MS = 500


@dataclass(frozen=True, slots=True)
class ScannedRecord:
    """A record of a topic: case, event type, `ce_id`, sequence number in its case (0 without one), body."""

    case: str
    type: str
    id: str
    sequence: int
    body: bytes


class TopicReader:
    """Reads the topics that begin with a prefix; names are given and returned without it."""

    def __init__(self, consumer: AIOKafkaConsumer, prefix: str) -> None:
        self._consumer = consumer
        self._prefix = prefix

    async def topic_names(self) -> list[str]:
        """The existing topics, sorted."""
        return sorted(name.removeprefix(self._prefix) for name in await self._consumer.topics() if name.startswith(self._prefix))

    async def records(self, topic: str) -> AsyncIterator[ScannedRecord]:
        """Every record up to the present end, each partition in order."""
        partitions = [TopicPartition(f"{self._prefix}{topic}", number) for number in range(PARTITIONS)]
        # Two requests for all partitions: with `position` each partition waits for an answer of its own, a second a topic on a busy broker.
        starts = await self._consumer.beginning_offsets(partitions)
        # The ends are read once: with writers still running the loop would never finish.
        ends = await self._consumer.end_offsets(partitions)
        unread = {partition for partition in partitions if starts[partition] < ends[partition]}
        if not unread:
            return
        self._consumer.assign(list(unread))
        for partition in unread:
            self._consumer.seek(partition, starts[partition])
        while unread:
            for partition, records in (await self._consumer.getmany(*unread, timeout_ms=_POLL_MS)).items():
                for record in records:
                    if record.offset < ends[partition]:  # records written since are of no interest
                        yield _to_scanned_record(record)
                if records[-1].offset + 1 >= ends[partition]:
                    unread.discard(partition)


@asynccontextmanager
async def topic_reader(bootstrap_servers: str, prefix: str) -> AsyncIterator[TopicReader]:
    """A reader for the length of a block; credentials come from the environment, as for every service."""
    settings = RuntimeSettings(kafka_bootstrap_servers=bootstrap_servers)
    consumer = AIOKafkaConsumer(
        client_id="jiesu-reconciliation", enable_auto_commit=False, auto_offset_reset="earliest", **connection_options(settings)
    )
    await consumer.start()
    try:
        yield TopicReader(consumer, prefix)
    finally:
        await consumer.stop()


def _to_scanned_record(record: ConsumerRecord) -> ScannedRecord:
    headers: Sequence[tuple[str, bytes | None]] = record.headers
    attributes = {name: value.decode(errors="replace") for name, value in headers if value is not None}
    sequence = attributes.get(envelope.CE_SEQUENCE, "")
    return ScannedRecord(
        case=(record.key or b"").decode(errors="replace"),
        type=attributes.get(envelope.CE_TYPE, ""),
        id=attributes.get(envelope.CE_ID, ""),
        sequence=int(sequence) if sequence.isdecimal() else 0,
        body=record.value or b"",
    )
