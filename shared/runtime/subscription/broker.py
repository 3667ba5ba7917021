"""The FastStream broker and its one batch subscriber, with our failure policy."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.runtime.kafka.connection import connection_options
from shared.runtime.kafka.record import LOG_APPEND_TIME, RawRecord
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.processing.batch import BatchProcessor
from shared.runtime.subscription.consumer import PollState, PollTrackingConsumer, partition_count
from shared.runtime.subscription.rebalance import DrainingRebalanceListener

SESSION_TIMEOUT_MS = 6000
HEARTBEAT_INTERVAL_MS = 500
_MAX_PARTITION_FETCH_BYTES = 131_072
"""Of one partition at once: 24 of them, one megabyte each, are more memory than a batch needs. A larger record comes alone."""
_BATCHES_PER_POLL = 4
"""Both lanes then have work until the end of a poll, and a service that reads few of a topic's types gets full batches too."""
_PARALLEL_BATCHES = 2


def _faststream_logger() -> logging.Logger:
    """FastStream logs twice a batch at INFO; without a logger its errors would be lost."""
    logger = logging.getLogger("faststream.jiesu")
    logger.setLevel(logging.WARNING)
    return logger


class PollTrackingBroker(KafkaBroker):
    """FastStream's broker that builds `WatchedConsumer`s with all our connection options."""

    def __init__(self, settings: RuntimeSettings, poll_state: PollState) -> None:
        super().__init__(
            settings.kafka_bootstrap_servers,
            client_id="jiesu",
            consumer_only=True,
            allow_auto_create_topics=False,
            apply_types=False,
            graceful_timeout=settings.stop_timeout * 2 / 3,
            logger=_faststream_logger(),
        )
        self._consumer_factory = partial(PollTrackingConsumer, poll_state, **connection_options(settings))

    async def _connect(self) -> Any:
        builder = await super()._connect()
        given = builder.keywords  # type: ignore[attr-defined]

        def build(**options: Any) -> AIOKafkaConsumer:
            return self._consumer_factory(**{**given, **options, **self._consumer_factory.keywords})

        self.config.broker_config.builder = build
        return build


async def parse_batch(message: Any, original: Any) -> KafkaAckableMessage:
    """FastStream's message around the raw records; its own parser loses a batch over one header that is null or not UTF-8."""
    parser = original.__self__
    return KafkaAckableMessage(
        body=b"",
        headers={},
        batch_headers=[],
        reply_to="",
        content_type=None,
        message_id=f"{message[0].offset}-{message[-1].offset}",
        correlation_id=None,
        raw_message=message,
        path={},
        consumer=parser._consumer,  # noqa: SLF001 - where FastStream keeps the consumer that a parser acknowledges with
    )


async def decode_batch(message: Any) -> Any:
    """The raw records: each is decoded on its own, later."""
    return message.raw_message


def create_subscriber(
    broker: PollTrackingBroker,
    topics: Sequence[str],
    group: str,
    *,
    processor: BatchProcessor,
    poll_state: PollState,
    settings: RuntimeSettings,
) -> BatchSubscriber:
    """Subscribe once to all topics of a service, so that partition n of each lands in the same process."""
    subscriber = broker.subscriber(
        *(f"{settings.topic_prefix}{topic}" for topic in topics),
        batch=True,
        group_id=f"{settings.topic_prefix}{group}",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        auto_offset_reset="earliest",
        max_records=settings.batch_size * _BATCHES_PER_POLL,
        batch_timeout_ms=settings.batch_wait_ms,
        max_partition_fetch_bytes=_MAX_PARTITION_FETCH_BYTES,
        max_poll_interval_ms=settings.max_poll_interval_ms,
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
        partition_assignment_strategy=(RangePartitionAssignor,),
        listener=DrainingRebalanceListener(poll_state),
        parser=parse_batch,
        decoder=decode_batch,
        no_reply=True,
    )

    async def handle(records: Sequence[ConsumerRecord]) -> None:
        await _handle_poll(records, subscriber.consumer, processor, poll_state)

    subscriber(handle)
    return subscriber


async def _handle_poll(
    records: Sequence[ConsumerRecord], consumer: AIOKafkaConsumer, processor: BatchProcessor, progress: PollState
) -> None:
    topics = {topic: topic.removeprefix(progress.topic_prefix) for topic in {record.topic for record in records}}
    counts = {plain: partition_count(consumer, topic) for topic, plain in topics.items()}
    raws = _merge_by_timestamp(
        [RawRecord.from_kafka(r, progress.topic_prefix) for r in records if processor.decoder.should_process(topics[r.topic], r.headers)]
    )
    progress.last_poll_size = len(raws)
    await _process_partitions(raws, counts, processor, progress.batch_size)
    _rewind_stopped_partitions(raws, consumer, processor, progress.topic_prefix)
    newest: dict[tuple[str, int], int] = {}
    for record in records:
        place = (record.topic, record.partition)
        if record.timestamp_type == LOG_APPEND_TIME and record.timestamp > newest.get(place, 0):
            newest[place] = record.timestamp
    read = {TopicPartition(topics[topic], partition): stamp for (topic, partition), stamp in newest.items()}
    progress.watermark.on_committed({place: stamp for place, stamp in read.items() if place not in processor.breaker.stopped_partitions})


async def _process_partitions(raws: Sequence[RawRecord], counts: Mapping[str, int], processor: BatchProcessor, size: int) -> None:
    """A batch a transaction; of many records half of the partitions beside the others, so that one decides while one is written.

    A case is on one partition. A failure is raised when both are done: what one has committed is known by its inbox when it comes again.
    """

    async def follow(lane: Sequence[RawRecord]) -> None:
        for first in range(0, len(lane), size):
            await processor.process(lane[first : first + size], counts)

    parts = [raws] if len(raws) <= size // 2 else split_by_partition(raws)
    for outcome in await asyncio.gather(*map(follow, parts), return_exceptions=True):
        if outcome is not None:
            raise outcome


def split_by_partition(raws: Sequence[RawRecord]) -> list[list[RawRecord]]:
    """The records in lanes about as long as each other, in order, each partition in one of them."""
    loads, lane_of = [0] * _PARALLEL_BATCHES, {}
    for partition, load in Counter(raw.partition for raw in raws).most_common():
        lane_of[partition] = lane = loads.index(min(loads))
        loads[lane] += load
    lanes: list[list[RawRecord]] = [[] for _ in range(_PARALLEL_BATCHES)]
    for raw in raws:
        lanes[lane_of[raw.partition]].append(raw)
    return [lane for lane in lanes if lane]


def _merge_by_timestamp(raws: Sequence[RawRecord]) -> list[RawRecord]:
    """The records as they were written, across topics: merged by timestamp, each partition's own order kept."""
    queues: dict[tuple[str, int], list[tuple[int, RawRecord]]] = defaultdict(list)
    for raw in raws:
        queue = queues[raw.topic, raw.partition]
        queue.append((max(raw.timestamp_ms, queue[-1][0] if queue else 0), raw))
    return [raw for _, raw in sorted((pair for queue in queues.values() for pair in queue), key=lambda pair: pair[0])]


def _rewind_stopped_partitions(raws: Sequence[RawRecord], consumer: AIOKafkaConsumer, processor: BatchProcessor, prefix: str) -> None:
    """Stopped partitions go back to the first record that was not taken, before the offsets are committed, and are read no further."""
    first: dict[TopicPartition, int] = {}
    for raw in raws:
        if TopicPartition(raw.topic, raw.partition) in processor.breaker.stopped_partitions:
            first.setdefault(TopicPartition(f"{prefix}{raw.topic}", raw.partition), raw.offset)
    for partition, offset in first.items():
        if partition in consumer.assignment():
            consumer.seek(partition, offset)
            consumer.pause(partition)
