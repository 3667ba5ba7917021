"""The FastStream broker of a service and its one batch subscriber."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.runtime.kafka.connection import connection_options
from shared.runtime.kafka.record import LOG_APPEND_TIME, RawRecord
from shared.runtime.process import metrics
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.processing.batch import BatchProcessor
from shared.runtime.subscription.consumer import IDLE_FETCH_MS, PollState, PollTrackingConsumer, partition_count
from shared.runtime.subscription.rebalance import DrainingRebalanceListener

SESSION_TIMEOUT_MS = 6000
"""A killed process is noticed after 6 s; less needs `group.min.session.timeout.ms` on the broker."""
HEARTBEAT_INTERVAL_MS = 500
_MAX_PARTITION_FETCH_BYTES = 131_072
"""24 partitions of aiokafka's default, 1 MiB, take more memory than a batch needs. A larger record is fetched alone."""
_BATCHES_PER_POLL = 4
"""Both parallel batches then have work until the end of a poll, and a service that skips most event types gets full batches too."""


def _faststream_logger() -> logging.Logger:
    """FastStream logs every batch at INFO; without a logger it would hide its errors."""
    logger = logging.getLogger("faststream.jiesu")
    logger.setLevel(logging.WARNING)
    return logger


class PollTrackingBroker(KafkaBroker):
    """FastStream's broker with PollTrackingConsumer as its consumer.

    FastStream's Prometheus middleware is not used: it measures polls, our metrics count the records and seconds of a transaction.
    """

    def __init__(self, settings: RuntimeSettings, poll_state: PollState) -> None:
        super().__init__(
            settings.kafka_bootstrap_servers,
            client_id="jiesu",
            consumer_only=True,  # handlers never publish
            allow_auto_create_topics=False,  # aiokafka would create a missing topic with one partition
            apply_types=False,  # FastStream would validate the records against the handler's annotations
            graceful_timeout=settings.stop_timeout * 2 / 3,  # leaves time for the relay
            logger=_faststream_logger(),
        )
        self._poll_state = poll_state
        self._connection_options = connection_options(settings)

    async def connect(self) -> Callable[..., AIOKafkaConsumer]:
        """Let FastStream create our consumer: it has no parameter for another class or for further connection options."""
        faststream_options = cast("partial[AIOKafkaConsumer]", await super().connect()).keywords

        def create_consumer(**subscriber_options: Any) -> AIOKafkaConsumer:
            return PollTrackingConsumer(self._poll_state, **{**faststream_options, **subscriber_options, **self._connection_options})

        self.config.broker_config.builder = create_consumer
        return create_consumer


def create_subscriber(
    broker: PollTrackingBroker,
    topics: Sequence[str],
    group: str,
    *,
    processor: BatchProcessor,
    poll_state: PollState,
    settings: RuntimeSettings,
) -> BatchSubscriber:
    """Subscribe once to all topics of a service: partition n of each is then assigned to the same process."""

    async def parse_batch(records: tuple[ConsumerRecord, ...]) -> KafkaAckableMessage:
        # FastStream's own parser decodes headers and loses the whole batch for one that is null or not UTF-8.
        return KafkaAckableMessage(
            raw_message=records,
            body=b"",
            message_id=f"{records[0].offset}-{records[-1].offset}",
            consumer=subscriber.consumer,
        )

    async def handle(records: Sequence[ConsumerRecord]) -> None:
        await _handle_poll(records, subscriber.consumer, processor, poll_state)

    subscriber = broker.subscriber(
        *(f"{settings.topic_prefix}{topic}" for topic in topics),
        batch=True,
        group_id=f"{settings.topic_prefix}{group}",
        # The default commits records that are still being handled; ACK and REJECT_ON_ERROR drop records on an error.
        ack_policy=AckPolicy.NACK_ON_ERROR,
        # The default, `latest`, would skip records that arrived before the group's first commit.
        auto_offset_reset="earliest",
        max_records=settings.batch_size * _BATCHES_PER_POLL,
        batch_timeout_ms=settings.batch_wait_ms,
        max_partition_fetch_bytes=_MAX_PARTITION_FETCH_BYTES,
        fetch_max_wait_ms=IDLE_FETCH_MS,
        max_poll_interval_ms=settings.max_poll_interval_ms,
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
        # With round robin partition 7 of two topics can be assigned to different processes.
        partition_assignment_strategy=(RangePartitionAssignor,),
        listener=DrainingRebalanceListener(poll_state),
        parser=parse_batch,
        decoder=_raw_records,
        no_reply=True,
    )
    subscriber(handle)
    return subscriber


async def _raw_records(message: KafkaAckableMessage) -> Any:
    """Records are decoded later, each on its own: here one that fails would fail the batch."""
    return message.raw_message


async def _handle_poll(
    records: Sequence[ConsumerRecord], consumer: AIOKafkaConsumer, processor: BatchProcessor, poll_state: PollState
) -> None:
    plain_topics = {topic: topic.removeprefix(poll_state.topic_prefix) for topic in {record.topic for record in records}}
    partition_counts = {plain: partition_count(consumer, topic) for topic, plain in plain_topics.items()}
    timestamps = _increasing_timestamps(records, poll_state)
    raw_records = [
        RawRecord.from_kafka(record, poll_state.topic_prefix, timestamp)
        for record, timestamp in zip(records, timestamps, strict=True)
        if processor.decoder.should_process(plain_topics[record.topic], record.headers)
    ]
    poll_state.last_poll_size = len(raw_records)
    await processor.process_poll(raw_records, partition_counts)
    if processor.breaker.is_open:
        _stop_reading(records, consumer)
        return
    newest = _newest_timestamps(records)
    poll_state.watermark.on_committed({poll_state.without_prefix(partition): timestamp for partition, timestamp in newest.items()})


def _increasing_timestamps(records: Sequence[ConsumerRecord], poll_state: PollState) -> list[int]:
    """The broker's timestamps in milliseconds; one that goes backwards in its partition counts as the one before it."""
    timestamps: list[int] = []
    newest: dict[TopicPartition, int] = {}
    for record in records:
        if record.timestamp_type != LOG_APPEND_TIME:
            timestamps.append(record.timestamp)
            continue
        partition = TopicPartition(record.topic, record.partition)
        if partition not in newest:
            newest[partition] = poll_state.watermark.earliest_unread_ms(poll_state.without_prefix(partition))
        newest[partition] = max(newest[partition], record.timestamp)
        timestamps.append(newest[partition])
    return timestamps


def _newest_timestamps(records: Sequence[ConsumerRecord]) -> dict[TopicPartition, int]:
    """The newest timestamp of each partition in milliseconds, among those that the broker set."""
    newest: dict[tuple[str, int], int] = {}
    for record in records:
        partition = (record.topic, record.partition)
        if record.timestamp_type == LOG_APPEND_TIME and record.timestamp > newest.get(partition, 0):
            newest[partition] = record.timestamp
    return {TopicPartition(*partition): timestamp for partition, timestamp in newest.items()}


def _stop_reading(records: Sequence[ConsumerRecord], consumer: AIOKafkaConsumer) -> None:
    """Rewind to the first record of this poll, before FastStream commits the offsets, and pause; what was committed is skipped later."""
    first_offsets: dict[TopicPartition, int] = {}
    for record in records:
        first_offsets.setdefault(TopicPartition(record.topic, record.partition), record.offset)
    assigned = consumer.assignment()
    for partition in assigned & first_offsets.keys():
        consumer.seek(partition, first_offsets[partition])
    # Paused, not stopped: the process stays in its group, so that its partitions do not go to another one with the same release.
    consumer.pause(*assigned)
    metrics.BREAKER_OPEN.set(len(assigned))
