"""An idempotent producer that is aborted and replaced after a failure: while the broker is away, aiokafka's own stop hangs.

This module uses private attributes of aiokafka, which is pinned to 0.14; tests/unit/runtime/test_library_internals.py checks them.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.runtime.clock import monotonic
from shared.runtime.kafka.connection import missing_rule
from shared.runtime.kafka.partitioner import partition_of

MAX_BATCH_BYTES = 256 * 1024
"""With aiokafka's 16 KiB the 500 messages of a relay cycle take several requests, one after the other."""
_METADATA_PAUSE_SECONDS = 0.2
_METADATA_ATTEMPTS = 20
_METADATA_ATTEMPT_SECONDS = 0.1
_CLOSE_TIMEOUT_SECONDS = 2.0
_TOPIC_ERRORS = frozenset({"TopicAuthorizationFailedError", "InvalidTopicError"})
_SIZE_ERRORS = frozenset({"MessageSizeTooLargeError", "RecordListTooLargeError"})


class UnsendableTopicError(Exception):
    """A topic that cannot be sent to although the broker works: it is absent or forbidden, which an operator can change."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"{topic}: {reason}")
        self.topic = topic
        self.reason = reason


class UnsendableRecordError(Exception):
    """A record that the broker refuses for what it is: sending it again cannot succeed."""


class NotSentError(Exception):
    """Not sent, since a batch of the partition was refused for its size: the next `send` can succeed at once, with smaller batches."""


ProducerRecord = tuple[str, bytes, bytes, list[tuple[str, bytes]]]
"""Topic, key, body, headers."""


@dataclass(slots=True)
class _PartitionBatch:
    """A batch of one partition with the indices of its records and its outcome, None once all of them are acknowledged."""

    partition: TopicPartition
    builder: BatchBuilder
    indices: list[int] = field(default_factory=list)
    size: int = 0
    outcome: BaseException | None = field(default_factory=lambda: TimeoutError("not acknowledged"))


class Producer:
    """Sends records and waits for their acknowledgements; `options` are those of aiokafka.

    `timeout` is in seconds without an acknowledged batch, `total_timeout` in seconds for one `send`.
    """

    def __init__(self, options: dict[str, Any], timeout: float, total_timeout: float = 15.0) -> None:
        self._options = options
        self._timeout = timeout
        self._total_timeout = total_timeout
        self._batch_bytes: dict[str, int] = {}
        self._progress_at = 0.0
        self._current: AIOKafkaProducer | None = None

    async def send(self, records: Sequence[ProducerRecord]) -> list[BaseException | None]:
        """Send records, in order within each partition; returns for each record None once it is acknowledged, or why it is not.

        A reason is UnsendableTopicError, UnsendableRecordError, NotSentError, or an error that a retry can cure: such records may have been
        sent. Raises KafkaError or TimeoutError when no producer can be started.
        """
        outcomes: list[BaseException | None] = [None] * len(records)
        try:
            async with asyncio.timeout(self._timeout):
                producer = await self._started_producer()
                await _mark_unsendable_topics(producer, records, outcomes, self._options.get("sasl_plain_username"))
            batches = self._batches(producer, records, outcomes)
            await self._send_batches(producer, batches)
        except BaseException:
            await self.force_close()
            raise
        for batch in batches:
            for index in batch.indices:
                outcomes[index] = batch.outcome
        if any(batch.outcome is not None for batch in batches):
            # A failed batch has used its sequence numbers: the broker would refuse every later one of its partition as out of order.
            await self.force_close()
        return outcomes

    async def _send_batches(self, producer: AIOKafkaProducer, batches: Sequence[_PartitionBatch]) -> None:
        """Send the partitions in parallel, as long as one of them makes progress."""
        by_partition: dict[TopicPartition, list[_PartitionBatch]] = defaultdict(list)
        for batch in batches:
            by_partition[batch.partition].append(batch)
        give_up_at = monotonic() + self._total_timeout
        self._progress_at = monotonic()
        pending = {asyncio.create_task(self._send_in_order(producer, queue)) for queue in by_partition.values()}
        try:
            while pending and (seconds := min(give_up_at, self._progress_at + self._timeout) - monotonic()) > 0:
                _, pending = await asyncio.wait(pending, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def _send_in_order(self, producer: AIOKafkaProducer, batches: Sequence[_PartitionBatch]) -> None:
        """Send the batches of a partition one after the other: after a failure none may overtake the failed one.

        aiokafka has one request a partition in flight anyway, so waiting for each acknowledgement costs little.
        """
        for position, batch in enumerate(batches):
            partition = batch.partition
            try:
                acknowledged = await producer.send_batch(batch.builder, partition.topic, partition=partition.partition)
                await acknowledged
            except KafkaError as error:
                batch.outcome = self._classified(error, batch)
                for unsent in batches[position + 1 :]:
                    unsent.outcome = NotSentError() if type(error).__name__ in _SIZE_ERRORS else batch.outcome
                return
            batch.outcome = None
            self._progress_at = monotonic()

    def _batches(
        self, producer: AIOKafkaProducer, records: Sequence[ProducerRecord], outcomes: Sequence[BaseException | None]
    ) -> list[_PartitionBatch]:
        """The records without an outcome in batches of one partition, in order: one future a batch is cheaper than one a record."""
        batches: list[_PartitionBatch] = []
        open_batches: dict[TopicPartition, _PartitionBatch] = {}
        counts: dict[str, int] = {}
        for index, (topic, key, body, headers) in enumerate(records):
            if outcomes[index] is not None:
                continue
            count = counts.get(topic) or counts.setdefault(topic, len(producer.client.cluster.partitions_for_topic(topic)))
            partition = TopicPartition(topic, partition_of(key, count))
            batch = open_batches.get(partition)
            # A full batch returns None instead of taking the record.
            if (
                batch is None
                or batch.size >= self._batch_bytes.get(topic, MAX_BATCH_BYTES)
                # No timestamp: the broker sets it (LogAppendTime), since watermarks are counted by the broker's clock.
                or batch.builder.append(timestamp=None, key=key, value=body, headers=headers) is None
            ):
                open_batches[partition] = batch = _PartitionBatch(partition, producer.create_batch())
                batch.builder.append(timestamp=None, key=key, value=body, headers=headers)
                batches.append(batch)
            batch.indices.append(index)
            batch.size += len(body)
        return batches

    def _classified(self, error: BaseException, batch: _PartitionBatch) -> BaseException:
        name = type(error).__name__
        topic = batch.partition.topic
        if name in _TOPIC_ERRORS:
            return UnsendableTopicError(topic, name)
        if name not in _SIZE_ERRORS:
            return error
        if len(batch.indices) == 1:
            return UnsendableRecordError(f"the broker refuses its size ({name}): raise max.message.bytes of {topic}")
        # The limit of the broker is for a batch: with smaller ones a single record fails only for its own size.
        self._batch_bytes[topic] = min(batch.size, self._batch_bytes.get(topic, MAX_BATCH_BYTES)) // 2
        return NotSentError(name)

    async def close(self) -> None:
        """Stop the producer; abort it if that fails or takes longer than 2 seconds."""
        producer, self._current = self._current, None
        if producer is not None:
            try:
                async with asyncio.timeout(_CLOSE_TIMEOUT_SECONDS):
                    await producer.stop()
            except (KafkaError, OSError, TimeoutError):
                await abort_producer(producer)

    async def force_close(self) -> None:
        """Abort the producer; the next send creates one with a sequence of its own."""
        producer, self._current = self._current, None
        if producer is not None:
            await abort_producer(producer)

    async def _started_producer(self) -> AIOKafkaProducer:
        if self._current is None:
            # Without idempotence a retry reorders messages (ADR 4).
            producer = AIOKafkaProducer(
                acks="all", enable_idempotence=True, client_id="jiesu-relay", max_batch_size=MAX_BATCH_BYTES, **self._options
            )
            _throttle_metadata_updates(producer)
            self._current = producer
            await producer.start()
        return self._current


async def _mark_unsendable_topics(
    producer: AIOKafkaProducer, records: Sequence[ProducerRecord], outcomes: list[BaseException | None], user: str | None
) -> None:
    """Set the outcome of all records of absent and forbidden topics: aiokafka waits 40 s for their metadata, all others with them."""
    if faults := await _unsendable_topics(producer, {record[0] for record in records}, user):
        for index, record in enumerate(records):
            outcomes[index] = faults.get(record[0])


async def _unsendable_topics(producer: AIOKafkaProducer, topics: Collection[str], user: str | None) -> dict[str, UnsendableTopicError]:
    """The topics without metadata after two updates, asked for together: one after the other they would use up the time of a send."""
    client = producer.client
    unknown = sorted(topic for topic in topics if client.cluster.partitions_for_topic(topic) is None)
    faults: dict[str, UnsendableTopicError] = {}
    for attempt in range(_METADATA_ATTEMPTS if unknown else 0):
        for topic in unknown if attempt == 0 else ():
            client.add_topic(topic)
        updated = await client.force_metadata_update()
        forbidden = set(unknown) & client.cluster.unauthorized_topics
        faults |= {topic: UnsendableTopicError(topic, f"may not be written: {missing_rule(user)}") for topic in forbidden}
        unknown = [topic for topic in unknown if topic not in forbidden and client.cluster.partitions_for_topic(topic) is None]
        if unknown and updated and attempt > 1:
            return faults | {topic: UnsendableTopicError(topic, "does not exist: run `jiesu topics apply`") for topic in unknown}
        if not unknown:
            break
        await asyncio.sleep(_METADATA_ATTEMPT_SECONDS)
    if unknown:
        raise TimeoutError("no metadata")
    return faults


def _throttle_metadata_updates(producer: AIOKafkaProducer) -> None:
    """Pause after a failed metadata update: with no leader known aiokafka retries without a pause, 17,000 log lines a second."""
    client = producer.client
    update = client._metadata_update  # noqa: SLF001 - aiokafka has no setting for a pause

    async def update_and_pause(cluster: Any, topics: Any) -> bool:
        updated: bool = await update(cluster, topics)
        if not updated:
            await asyncio.sleep(_METADATA_PAUSE_SECONDS)
        return updated

    client._metadata_update = update_and_pause  # noqa: SLF001


async def abort_producer(producer: AIOKafkaProducer) -> None:
    """End a producer whose stop() would hang: its sender task, its client, its pending metadata update, in this order."""
    producer._closed = True  # noqa: SLF001 - otherwise the finaliser warns of a producer that was not stopped
    sender = producer._sender.sender_task  # noqa: SLF001 - the task that waits for the broker for ever
    if sender is not None:
        sender.cancel()
    client = producer.client
    with contextlib.suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_TIMEOUT_SECONDS):
            await client.close()
    pending_update = client._md_update_fut  # noqa: SLF001 - close() does not resolve it, and the sender may await it
    if pending_update is not None and not pending_update.done():
        pending_update.set_result(False)
    if sender is not None:
        await asyncio.wait([sender], timeout=_CLOSE_TIMEOUT_SECONDS)
        if sender.done() and not sender.cancelled():
            sender.exception()  # retrieved, so that asyncio does not log it
