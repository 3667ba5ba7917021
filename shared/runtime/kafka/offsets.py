"""Asks the broker for the ends of partitions, on a connection of its own, and the consumer for its positions."""

from collections.abc import Collection
from typing import cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.runtime.kafka.connection import connection_options
from shared.runtime.process.settings import RuntimeSettings


class EndOffsetClient:
    """A client without group or assignment: on the consumer's own connection the question waits behind its long polls, half a second each.

    After a failure it is thrown away; the next question makes a new one.
    """

    def __init__(self, settings: RuntimeSettings) -> None:
        self._settings = settings
        self._client: AIOKafkaConsumer | None = None

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The ends that the broker reports now, by plain topic; raises KafkaError, or hangs until cancelled while the broker is away."""
        prefix = self._settings.topic_prefix
        try:
            client = await self._started()
            ends = await client.end_offsets([TopicPartition(f"{prefix}{p.topic}", p.partition) for p in partitions])
        except BaseException:
            await self.close()
            raise
        return {TopicPartition(p.topic.removeprefix(prefix), p.partition): end for p, end in ends.items()}

    async def close(self) -> None:
        """Close the client; without a group there is nobody to take leave of."""
        client, self._client = self._client, None
        if client is not None:
            await client.stop()

    async def _started(self) -> AIOKafkaConsumer:
        if self._client is None:
            client = AIOKafkaConsumer(client_id="jiesu-ends", enable_auto_commit=False, **connection_options(self._settings))
            self._client = client
            await client.start()
        return self._client


class ConsumerPositionReader:
    """The positions of the subscriber's consumer, by plain topic."""

    def __init__(self, subscriber: BatchSubscriber, prefix: str) -> None:
        self._subscriber = subscriber
        self._prefix = prefix

    async def position(self, partition: TopicPartition) -> int:
        """The next record's offset; raises IllegalStateError (a KafkaError) when the partition is not ours any more."""
        consumer = self._subscriber.consumer
        if consumer is None:
            raise IllegalStateError("the consumer has stopped")
        return cast("int", await consumer.position(TopicPartition(f"{self._prefix}{partition.topic}", partition.partition)))
