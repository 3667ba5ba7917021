"""Reads topics from beginning to end without a consumer group, so that no offsets are committed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from shared.contracts import envelope
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

    def __init__(self, consumer: AIOKafkaConsumer, prefix: str, partitions: int) -> None:
        self._consumer = consumer
        self._prefix = prefix
        self._partitions = partitions

    async def topic_names(self) -> list[str]:
        """The existing topics, sorted."""
        return sorted(name.removeprefix(self._prefix) for name in await self._consumer.topics() if name.startswith(self._prefix))

    async def records(self, topic: str) -> AsyncIterator[ScannedRecord]:
        """Every record up to the present end, each partition in order."""
        partitions = [TopicPartition(f"{self._prefix}{topic}", number) for number in range(self._partitions)]
        async for record in read_to_present_ends(self._consumer, partitions):
            yield _to_scanned_record(record)


@asynccontextmanager
async def topic_reader(bootstrap_servers: str, prefix: str) -> AsyncIterator[TopicReader]:
    """A reader for the length of a block; credentials come from the environment, as for every service."""
    settings = RuntimeSettings(kafka_bootstrap_servers=bootstrap_servers)
    async with consumer_without_group(settings, "jiesu-reconciliation") as consumer:
        yield TopicReader(consumer, prefix, settings.topic_partitions)


@asynccontextmanager
async def consumer_without_group(settings: RuntimeSettings, client_id: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer for the length of a block; raises KafkaError without the broker."""
    consumer = AIOKafkaConsumer(client_id=client_id, enable_auto_commit=False, auto_offset_reset="earliest", **connection_options(settings))
    try:
        await consumer.start()
        yield consumer
    finally:
        # Also after a start that failed: aiokafka prints a line about each consumer that is left unstopped.
        await consumer.stop()


async def read_to_present_ends(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> AsyncIterator[ConsumerRecord]:
    """Every record up to the present end of its partition, each partition in order."""
    # Two requests for all partitions: with `position` each partition waits for an answer of its own, a second a topic on a busy broker.
    starts = await consumer.beginning_offsets(partitions)
    # The ends are read once: with writers still running the loop would never finish.
    ends = await consumer.end_offsets(partitions)
    unread = {partition for partition in partitions if starts[partition] < ends[partition]}
    if not unread:
        return
    consumer.assign(list(unread))
    for partition in unread:
        consumer.seek(partition, starts[partition])
    while unread:
        for partition, records in (await consumer.getmany(*unread, timeout_ms=_POLL_MS)).items():
            for record in records:
                if record.offset < ends[partition]:  # records written since are of no interest
                    yield record
            if records[-1].offset + 1 >= ends[partition]:
                unread.discard(partition)


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
