"""An idempotent producer that is aborted and replaced after a failure: while the broker is away, aiokafka's own stop hangs.

This module uses private attributes of aiokafka, which is pinned to 0.14; tests/unit/runtime/test_library_internals.py checks them.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.runtime.kafka.partitioner import partition_of

MAX_BATCH_BYTES = 256 * 1024
"""With aiokafka's 16 KiB the 500 messages of a relay cycle take several requests, one after the other."""
_METADATA_PAUSE_SECONDS = 0.2
_METADATA_ATTEMPTS = 20
_METADATA_ATTEMPT_SECONDS = 0.1
_CLOSE_TIMEOUT_SECONDS = 2.0
_PERMANENT_ERRORS = frozenset({"TopicAuthorizationFailedError", "MessageSizeTooLargeError", "InvalidTopicError", "RecordListTooLargeError"})


class UnsendableTopicError(Exception):
    """A topic that cannot be sent to although the broker works: it is absent, forbidden, or refuses the message."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"{topic}: {reason}")
        self.topic = topic
        self.reason = reason


ProducerRecord = tuple[str, bytes, bytes, list[tuple[str, bytes]]]
"""Topic, key, body, headers."""


class Producer:
    """Sends records and waits for all acknowledgements; `options` are those of aiokafka, `timeout` is in seconds for one `send`."""

    def __init__(self, options: dict[str, Any], timeout: float) -> None:
        self._options = options
        self._timeout = timeout
        self._current: AIOKafkaProducer | None = None

    async def send(self, records: Sequence[ProducerRecord]) -> None:
        """Send records, in order within each partition, until all are acknowledged.

        Raises UnsendableTopicError for a topic at fault, otherwise KafkaError or TimeoutError; some records may have been sent.
        """
        try:
            async with asyncio.timeout(self._timeout):
                producer = await self._started_producer()
                for topic in dict.fromkeys(record[0] for record in records):
                    await _require_topic(producer, topic)
                batches = _batches_by_partition(producer, records)
                futures = [await producer.send_batch(batch, partition.topic, partition=partition.partition) for partition, batch in batches]
                results = await asyncio.gather(*futures, return_exceptions=True)
            _raise_first_error([partition.topic for partition, _ in batches], results)
        except UnsendableTopicError:
            raise
        except BaseException:
            # After an outage longer than its request timeout an idempotent producer raises OutOfOrderSequenceNumber for ever.
            await self.force_close()
            raise

    async def close(self) -> None:
        """Stop the producer; abort it if that takes longer than 2 seconds."""
        producer, self._current = self._current, None
        if producer is not None:
            try:
                async with asyncio.timeout(_CLOSE_TIMEOUT_SECONDS):
                    await producer.stop()
            except TimeoutError:
                await abort_producer(producer)

    async def force_close(self) -> None:
        """Abort the producer; the next send creates one with a sequence of its own."""
        producer, self._current = self._current, None
        if producer is not None:
            await abort_producer(producer)

    async def _started_producer(self) -> AIOKafkaProducer:
        if self._current is None:
            producer = AIOKafkaProducer(
                acks="all", enable_idempotence=True, client_id="jiesu-relay", max_batch_size=MAX_BATCH_BYTES, **self._options
            )
            _throttle_metadata_updates(producer)
            self._current = producer
            await producer.start()
        return self._current


async def _require_topic(producer: AIOKafkaProducer, topic: str) -> None:
    """Raise UnsendableTopicError for an absent topic: aiokafka waits 40 s for its metadata, and all other topics with it."""
    client = producer.client
    if client.cluster.partitions_for_topic(topic) is not None:
        return
    for attempt in range(_METADATA_ATTEMPTS):
        updated = await (client.add_topic(topic) if attempt == 0 else client.force_metadata_update())
        if client.cluster.partitions_for_topic(topic) is not None:
            return
        if topic in client.cluster.unauthorized_topics:
            raise UnsendableTopicError(topic, "this principal may not write to it")
        if updated and attempt > 1:
            raise UnsendableTopicError(topic, "does not exist: run `jiesu topics apply`")
        await asyncio.sleep(_METADATA_ATTEMPT_SECONDS)


def _batches_by_partition(producer: AIOKafkaProducer, records: Sequence[ProducerRecord]) -> list[tuple[TopicPartition, BatchBuilder]]:
    """The records in batches of one partition, in order: a future for each batch is several times cheaper than one for each record."""
    batches: list[tuple[TopicPartition, BatchBuilder]] = []
    open_batches: dict[TopicPartition, BatchBuilder] = {}
    counts = {topic: len(producer.client.cluster.partitions_for_topic(topic)) for topic in {record[0] for record in records}}
    for topic, key, body, headers in records:
        partition = TopicPartition(topic, partition_of(key, counts[topic]))
        batch = open_batches.get(partition)
        # A full batch returns None instead of taking the record.
        if batch is None or batch.append(timestamp=None, key=key, value=body, headers=headers) is None:
            open_batches[partition] = batch = producer.create_batch()
            batch.append(timestamp=None, key=key, value=body, headers=headers)
            batches.append((partition, batch))
    return batches


def _raise_first_error(topics: Sequence[str], results: Sequence[Any]) -> None:
    """Raise the first error; one that a retry cannot cure as UnsendableTopicError."""
    for topic, result in zip(topics, results, strict=True):
        if not isinstance(result, BaseException):
            continue
        name = type(result).__name__
        if name in _PERMANENT_ERRORS:
            raise UnsendableTopicError(topic, name)
        raise result


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
