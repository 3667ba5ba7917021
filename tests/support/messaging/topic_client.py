"""Publishes records to the topics of one test and reads them back."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord, TopicPartition

from shared.contracts.envelope import CE_TYPE, CloudEventRecord
from shared.contracts.topics import Topic
from shared.runtime.process.settings import RuntimeSettings

RawRecordToSend = tuple[str, bytes | None, bytes | None, list[tuple[str, bytes | None]]]
"""Topic, key, value and headers."""


class TopicClient:
    """Publishes to and reads from the topics with the prefix of the settings."""

    def __init__(self, settings: RuntimeSettings, producer: AIOKafkaProducer) -> None:
        self._settings = settings
        self._producer = producer

    async def publish(self, record: CloudEventRecord, more_headers: Sequence[tuple[str, bytes | None]] = ()) -> None:
        """Send a record and wait for the broker's acknowledgement."""
        await self.send(record.topic, record.key.encode(), record.body, [*record.kafka_headers(), *more_headers])

    async def publish_all(self, records: Sequence[CloudEventRecord]) -> None:
        """Send the records without waiting in between, so that the producer batches them."""
        for record in records:
            topic = f"{self._settings.topic_prefix}{record.topic}"
            await self._producer.send(topic, record.body, key=record.key.encode(), headers=record.kafka_headers())
        await self._producer.flush()

    async def send_raw(self, messages: Sequence[RawRecordToSend]) -> None:
        """Send any bytes without waiting for the acknowledgements."""
        for topic, key, value, headers in messages:
            await self._producer.send(f"{self._settings.topic_prefix}{topic}", value, key=key, headers=headers)

    async def flush(self) -> None:
        """Wait until everything that was sent is acknowledged."""
        await self._producer.flush()

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes | None]],
        partition: int | None = None,
    ) -> None:
        """Send any bytes, also those of an invalid record."""
        name = f"{self._settings.topic_prefix}{topic}"
        await self._producer.send_and_wait(name, value, key=key, headers=list(headers), partition=partition)

    async def read_records(self, topic: Topic) -> list[ConsumerRecord]:
        """As the function `read_records`."""
        return await read_records(self._settings, topic)

    async def read_events(self, topic: Topic) -> list[tuple[str, str, dict[str, Any]]]:
        """Type, key and body of every record that the topic holds now."""
        return [(record_type(record), record.key.decode(), orjson.loads(record.value)) for record in await self.read_records(topic)]


async def read_records(settings: RuntimeSettings, topic: Topic) -> list[ConsumerRecord]:
    """Every record that the topic holds now, sorted by partition and offset."""
    async with AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="earliest") as consumer:
        partitions = [TopicPartition(f"{settings.topic_prefix}{topic.name}", number) for number in range(topic.partitions)]
        consumer.assign(partitions)
        total = sum((await consumer.end_offsets(partitions)).values())
        records: list[ConsumerRecord] = []
        while len(records) < total:
            for batch in (await consumer.getmany(timeout_ms=1000)).values():
                records.extend(batch)
    return sorted(records, key=lambda record: (record.partition, record.offset))


def record_type(record: ConsumerRecord) -> str:
    """The record's `ce_type`."""
    return str(dict(record.headers)[CE_TYPE].decode())


@asynccontextmanager
async def open_topic_client(settings: RuntimeSettings, **producer_options: Any) -> AsyncIterator[TopicClient]:
    """A client of the settings' broker for the length of a block."""
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers, **producer_options) as producer:
        yield TopicClient(settings, producer)
