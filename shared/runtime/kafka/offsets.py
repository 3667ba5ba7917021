"""End offsets from the broker and positions from the consumer."""

from collections.abc import Collection
from typing import cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.runtime.kafka.connection import connection_options
from shared.runtime.process.settings import RuntimeSettings


class EndOffsetClient:
    """Requests end offsets on a connection of its own: on the consumer's, a request waits behind long polls of two seconds.

    The high-water mark that the consumer knows is as old as its last fetch, and so too old for a watermark.
    """

    def __init__(self, settings: RuntimeSettings) -> None:
        self._settings = settings
        self._client: AIOKafkaConsumer | None = None

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The present end offsets; topics are without the prefix of the settings.

        Raises KafkaError, or hangs until cancelled while the broker is away. A failure closes the client; the next call opens another.
        """
        prefix = self._settings.topic_prefix
        try:
            client = await self._started_client()
            ends = await client.end_offsets([TopicPartition(f"{prefix}{p.topic}", p.partition) for p in partitions])
        except BaseException:
            await self.close()
            raise
        return {TopicPartition(p.topic.removeprefix(prefix), p.partition): end for p, end in ends.items()}

    async def close(self) -> None:
        """Close the client; it has no consumer group to leave."""
        client, self._client = self._client, None
        if client is not None:
            await client.stop()

    async def _started_client(self) -> AIOKafkaConsumer:
        if self._client is None:
            client = AIOKafkaConsumer(client_id="jiesu-ends", enable_auto_commit=False, **connection_options(self._settings))
            self._client = client
            await client.start()
        return self._client


class ConsumerPositionReader:
    """The positions of the subscriber's consumer; topics are without `prefix`."""

    def __init__(self, subscriber: BatchSubscriber, prefix: str) -> None:
        self._subscriber = subscriber
        self._prefix = prefix

    async def position(self, partition: TopicPartition) -> int:
        """The offset of the next record; raises IllegalStateError (a KafkaError) when the partition is not assigned any more."""
        consumer = self._subscriber.consumer
        if consumer is None:
            raise IllegalStateError("the consumer has stopped")
        return cast("int", await consumer.position(TopicPartition(f"{self._prefix}{partition.topic}", partition.partition)))
