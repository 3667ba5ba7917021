"""aiokafka's consumer, which reports each poll, and the state that polls, rebalances and watermark share."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from shared.contracts.topics import PARTITIONS
from shared.runtime.kafka.connection import FETCHER_OPTIONS, FORBIDDEN, missing_rule
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.process.health import Health

# 100 and 150 ms were no better beyond the noise (ADR 36).
_LINGER_SECONDS = 0.05
_RECORDS_OF_FULL_LINGER = 10
"""After a poll of fewer records the linger is as much shorter: at a few records a second none would come to fill the batch."""
_FIRST_IDLE_POLL_MS = 500
"""How long the first poll without records waits; the next ones as long as a fetch. The first record ends each of them."""
IDLE_FETCH_MS = 2000
"""How long the broker holds a fetch without records. Each names all partitions: at aiokafka's 500 ms, two fifths of its CPU at rest."""
_BUSY_FETCH_MS = 50
"""The same while records arrive."""
_NEXT_FETCH_MS = 10
"""How long a poll that found records waits for those of the next fetch."""


class PollState:
    """Whether a batch is running, and how many records the last poll returned."""

    def __init__(self, watermark: Watermark, health: Health, topic_prefix: str, batch_size: int) -> None:
        self.watermark = watermark
        self.health = health
        self.topic_prefix = topic_prefix
        self.batch_size = batch_size
        self.last_poll_size = 0
        """Records of the last poll, without those of types that the service skips."""
        self.idle = asyncio.Event()
        self.idle.set()

    def without_prefix(self, partition: TopicPartition) -> TopicPartition:
        """The partition with its topic's plain name."""
        return TopicPartition(partition.topic.removeprefix(self.topic_prefix), partition.partition)

    def poll_started(self) -> None:
        """The records of the last poll have been committed or rewound."""
        self.health.beat("poll")
        self.watermark.on_fetched(())
        self.idle.set()

    def reading_forbidden(self, error: KafkaError, user: str | None) -> None:
        """The broker refused the group or a topic; FastStream polls again after a pause."""
        self.health.set_trouble("consumer", f"{type(error).__name__} {error.args}: {missing_rule(user)}")

    def records_fetched(self, partitions: Sequence[TopicPartition]) -> None:
        """A poll returned records of these partitions."""
        if partitions:
            self.idle.clear()
            self.watermark.on_fetched(self.without_prefix(p) for p in partitions)


class PollTrackingConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """aiokafka's consumer that reports to `poll_state` when a poll starts and what it returned."""

    def __init__(self, poll_state: PollState, **options: Any) -> None:
        super().__init__(**{**options, **FETCHER_OPTIONS})
        self._poll_state = poll_state
        self._caught_up = False
        self._idle_poll_ms = _FIRST_IDLE_POLL_MS
        self._user: str | None = options.get("sasl_plain_username")

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Poll. Lingers before when the last poll drained every partition, so that batches fill: 10 records cost as much as 50."""
        self._poll_state.poll_started()
        # Both conditions: when every small poll lingered, sla was idle for a fifth of the time (ADR 36).
        if self._caught_up and self._poll_state.last_poll_size < self._poll_state.batch_size:
            await asyncio.sleep(linger_seconds(self._poll_state.last_poll_size))
        records: dict[TopicPartition, list[ConsumerRecord]] = {}
        await self._take(records, partitions, 0, max_records)
        if not records:
            await self._take(records, partitions, max(timeout_ms, self._idle_poll_ms), max_records)
        elif (taken := sum(map(len, records.values()))) < self._poll_state.batch_size:
            await self._take_next_fetch(records, partitions, max_records and max_records - taken)
        self._idle_poll_ms = _FIRST_IDLE_POLL_MS if records else IDLE_FETCH_MS
        # aiokafka leaves partitions whose records wait for longer than 100 ms out of its next fetch, and out of all until that one ends.
        self._fetcher._fetch_max_wait_ms = _BUSY_FETCH_MS if records else IDLE_FETCH_MS  # noqa: SLF001 - no option changes it later
        self._caught_up = bool(records) and all(self._reached_end(partition, batch[-1].offset) for partition, batch in records.items())
        return records

    async def _take(
        self,
        records: dict[TopicPartition, list[ConsumerRecord]],
        partitions: Sequence[TopicPartition],
        timeout_ms: int,
        max_records: int | None,
    ) -> None:
        """Add the records of fetches that have ended, or of the first one that ends within the time."""
        try:
            fetched = await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
        except FORBIDDEN as error:
            self._poll_state.reading_forbidden(error, self._user)
            raise
        for partition, batch in fetched.items():
            records.setdefault(partition, []).extend(batch)
        # The position has moved within getmany: without an await in between, nothing can read it before the partitions are marked.
        self._poll_state.records_fetched(list(records))

    async def _take_next_fetch(
        self, records: dict[TopicPartition, list[ConsumerRecord]], partitions: Sequence[TopicPartition], max_records: int | None
    ) -> None:
        """Add what arrived after the first record of the last fetch: aiokafka sends the next one when its records are taken (ADR 84)."""
        # What was taken is returned in any case, since its positions have moved; an error that lasts is raised by the next poll. The time
        # limit is for a rebalance: it waits for what was taken, and getmany for it.
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(2 * _NEXT_FETCH_MS / 1000):
                await self._take(records, partitions, _NEXT_FETCH_MS, max_records)

    def _reached_end(self, partition: TopicPartition, offset: int) -> bool:
        """Whether the record was the last one of the partition when it was fetched."""
        return partition in self.assignment() and offset + 1 >= (self.highwater(partition) or 0)


def linger_seconds(records: int) -> float:
    """How long to wait for more after a poll of so many records: 50 ms from ten records on, nothing where all were skipped."""
    return _LINGER_SECONDS * min(1.0, records / _RECORDS_OF_FULL_LINGER)


def partition_count(consumer: AIOKafkaConsumer, topic: str) -> int:
    """The number of partitions of a topic by the broker's metadata."""
    return len(consumer.partitions_for_topic(topic) or ()) or PARTITIONS
