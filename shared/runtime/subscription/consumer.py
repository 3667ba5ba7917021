"""aiokafka's consumer with the poll loop's state: is a batch being processed, when was the last poll."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.contracts.topics import PARTITIONS
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.process.health import Health

_LINGER_SECONDS = 0.05
_IDLE_POLL_MS = 500
"""How long a poll waits for the first record; with FastStream's 20 ms four services at rest took an eighth of a processor."""


class PollState:
    """What the poll loop, the rebalance listener and the watermark know of each other: is a batch in hand, when was the last poll."""

    def __init__(self, watermark: Watermark, health: Health, topic_prefix: str, batch_size: int) -> None:
        self.watermark = watermark
        self.health = health
        self.topic_prefix = topic_prefix
        self.batch_size = batch_size
        self.last_poll_size = 0  # of the latest poll's records, those that the service reads at all
        self.idle = asyncio.Event()
        self.idle.set()

    def without_prefix(self, partition: TopicPartition) -> TopicPartition:
        """The partition under its topic's name without our prefix."""
        return TopicPartition(partition.topic.removeprefix(self.topic_prefix), partition.partition)

    def poll_started(self) -> None:
        """A poll begins: whatever was fetched before has been committed or given back."""
        self.health.beat("poll")
        self.watermark.on_fetched(())
        self.idle.set()

    def records_fetched(self, partitions: Sequence[TopicPartition]) -> None:
        """A poll brought records."""
        if partitions:
            self.idle.clear()
            self.watermark.on_fetched(self.without_prefix(p) for p in partitions)


class PollTrackingConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """aiokafka's consumer that tells `Progress` when a poll begins and what it brought, without a gap between the two."""

    def __init__(self, poll_state: PollState, **options: Any) -> None:
        super().__init__(**options)
        self._poll_state = poll_state
        self._caught_up = False

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Poll; where the one before brought all there was, and that was little, wait for more: ten records cost as much as fifty.

        The position moves within this call, so what it brought has to be marked before anything else can run.
        """
        self._poll_state.poll_started()
        if self._caught_up and self._poll_state.last_poll_size < self._poll_state.batch_size:
            await asyncio.sleep(_LINGER_SECONDS)
        records: dict[TopicPartition, list[ConsumerRecord]] = await super().getmany(
            *partitions, timeout_ms=max(timeout_ms, _IDLE_POLL_MS), max_records=max_records
        )
        self._poll_state.records_fetched(list(records))
        self._caught_up = bool(records) and all(self._reached_end(place, found[-1].offset) for place, found in records.items())
        return records

    def _reached_end(self, place: TopicPartition, offset: int) -> bool:
        """Whether the broker had nothing after this record when it was fetched."""
        return place in self.assignment() and offset + 1 >= (self.highwater(place) or 0)


def partition_count(consumer: AIOKafkaConsumer, topic: str) -> int:
    """The topic's number of partitions as the broker has it."""
    return len(consumer.partitions_for_topic(topic) or ()) or PARTITIONS
