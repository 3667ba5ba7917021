"""An idempotent producer that can be given up: aiokafka's own stop hangs while the broker is away, and its sequence may be lost for ever.

The only place that touches aiokafka's private attributes for sending; pinned to 0.14 and tested against the real broker.
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
"""With aiokafka's 16 KiB a relay's 500 events take several requests, one after the other."""
_METADATA_PAUSE = 0.2
_CLOSE_TIMEOUT_SECONDS = 2.0
_METADATA_TIMEOUT_SECONDS = 2.0


class UnsendableTopicError(Exception):
    """A topic that cannot be sent to while the broker is well: absent, forbidden, or refusing the message."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"{topic}: {reason}")
        self.topic = topic
        self.reason = reason


ProducerRecord = tuple[str, bytes, bytes, list[tuple[str, bytes]]]
"""Topic, key, body, headers."""


class Producer:
    """Sends batches and waits for all acknowledgements; after any failure it is replaced by a new one."""

    def __init__(self, options: dict[str, Any], timeout: float) -> None:
        self._options = options
        self._timeout = timeout
        self._current: AIOKafkaProducer | None = None

    async def send(self, messages: Sequence[ProducerRecord]) -> None:
        """Send in order, each key in its partition's order; returns when all are acknowledged.

        Raises UnsendableError for a topic at fault, KafkaError or TimeoutError (after the outer limit) otherwise; some may have been sent.
        """
        try:
            async with asyncio.timeout(self._timeout):
                producer = await self._started()
                for topic in dict.fromkeys(message[0] for message in messages):
                    await _require_topic(producer, topic)
                batches = _batches(producer, messages)
                futures = [await producer.send_batch(batch, place.topic, partition=place.partition) for place, batch in batches]
                results = await asyncio.gather(*futures, return_exceptions=True)
            _raise_first([place.topic for place, _ in batches], results)
        except UnsendableTopicError:
            raise
        except BaseException:
            await self.force_close()
            raise

    async def close(self) -> None:
        """Stop in order when nothing is pending; give up after a while."""
        producer, self._current = self._current, None
        if producer is not None:
            try:
                async with asyncio.timeout(_CLOSE_TIMEOUT_SECONDS):
                    await producer.stop()
            except TimeoutError:
                await abort_producer(producer)

    async def force_close(self) -> None:
        """Take the present producer apart; the next send makes a new one with a sequence of its own."""
        producer, self._current = self._current, None
        if producer is not None:
            await abort_producer(producer)

    async def _started(self) -> AIOKafkaProducer:
        if self._current is None:
            producer = AIOKafkaProducer(
                acks="all", enable_idempotence=True, client_id="jiesu-relay", max_batch_size=MAX_BATCH_BYTES, **self._options
            )
            _throttle_metadata_retries(producer)
            self._current = producer
            await producer.start()
        return self._current


async def _require_topic(producer: AIOKafkaProducer, topic: str) -> None:
    """Without this aiokafka waits 40 s for the metadata of a topic that does not exist; all other topics would wait with it."""
    client = producer.client
    if client.cluster.partitions_for_topic(topic) is not None:
        return
    known = False
    for attempt in range(20):
        known = await (client.add_topic(topic) if attempt == 0 else client.force_metadata_update())
        if client.cluster.partitions_for_topic(topic) is not None:
            return
        if topic in client.cluster.unauthorized_topics:
            raise UnsendableTopicError(topic, "this principal may not write to it")
        if known and attempt > 1:
            raise UnsendableTopicError(topic, "does not exist: run `jiesu topics apply`")
        await asyncio.sleep(_METADATA_TIMEOUT_SECONDS / 20)


def _batches(producer: AIOKafkaProducer, messages: Sequence[ProducerRecord]) -> list[tuple[TopicPartition, BatchBuilder]]:
    """The messages by partition, in order: a future a batch is several times cheaper than one a message."""
    batches: list[tuple[TopicPartition, BatchBuilder]] = []
    latest: dict[TopicPartition, BatchBuilder] = {}
    counts = {topic: len(producer.client.cluster.partitions_for_topic(topic)) for topic in {message[0] for message in messages}}
    for topic, key, body, headers in messages:
        place = TopicPartition(topic, partition_of(key, counts[topic]))
        batch = latest.get(place)
        if batch is None or batch.append(timestamp=None, key=key, value=body, headers=headers) is None:
            latest[place] = batch = producer.create_batch()
            batch.append(timestamp=None, key=key, value=body, headers=headers)
            batches.append((place, batch))
    return batches


def _raise_first(topics: Sequence[str], results: Sequence[Any]) -> None:
    """Raise the first failure; one that repeating cannot mend names its topic."""
    for topic, result in zip(topics, results, strict=True):
        if not isinstance(result, BaseException):
            continue
        name = type(result).__name__
        if name in {"TopicAuthorizationFailedError", "MessageSizeTooLargeError", "InvalidTopicError", "RecordListTooLargeError"}:
            raise UnsendableTopicError(topic, name)
        raise result


def _throttle_metadata_retries(producer: AIOKafkaProducer) -> None:
    """With no leader known aiokafka asks for metadata without a pause, 17,000 log lines a second."""
    client = producer.client
    update = client._metadata_update  # noqa: SLF001 - see the module's docstring

    async def paused(cluster: Any, topics: Any) -> bool:
        updated: bool = await update(cluster, topics)
        if not updated:
            await asyncio.sleep(_METADATA_PAUSE)
        return updated

    client._metadata_update = paused  # noqa: SLF001


async def abort_producer(producer: AIOKafkaProducer) -> None:
    """End a producer that may hang: its sender task, its client, its pending metadata wait, in this order."""
    producer._closed = True  # noqa: SLF001 - a second stop() is a no-op, and no warning is wanted
    sender = producer._sender.sender_task  # noqa: SLF001
    if sender is not None:
        sender.cancel()
    client = producer.client
    with contextlib.suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_TIMEOUT_SECONDS):
            await client.close()
    pending = client._md_update_fut  # noqa: SLF001
    if pending is not None and not pending.done():
        pending.set_result(False)
    if sender is not None:
        await asyncio.wait([sender], timeout=_CLOSE_TIMEOUT_SECONDS)
        if sender.done() and not sender.cancelled():
            sender.exception()
