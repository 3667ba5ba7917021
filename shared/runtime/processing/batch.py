"""A batch is one transaction: claim the ids, let the service decide, keep dead letters, commit; then Kafka's offsets."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from aiokafka import TopicPartition

from shared.runtime.clock import backoff, monotonic
from shared.runtime.database.database import Database, Transaction
from shared.runtime.dead_letters import parking, store
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import LOG_APPEND_TIME, FailedRecord, RawRecord, ReceivedRecord
from shared.runtime.kafka.record_decoder import RecordDecoder
from shared.runtime.process import metrics
from shared.runtime.process.failures import is_infrastructure, redacted_reason
from shared.runtime.process.health import Health
from shared.runtime.process.logging import log_context
from shared.runtime.processing import inbox
from shared.runtime.processing.breaker import Breaker

BatchHandler = Callable[[Transaction, Sequence[ReceivedRecord]], Awaitable[None]]
log = structlog.get_logger(__name__)


class _PartitionsStoppedError(Exception):
    """Inside a batch: these partitions went bad; roll back and do the batch without them."""

    def __init__(self, partitions: Collection[TopicPartition]) -> None:
        super().__init__()
        self.partitions = partitions


@dataclass
class BatchResult:
    """What became of a batch's records, in order."""

    failed: list[FailedRecord] = field(default_factory=list)

    def successes_by_partition(self, records: Sequence[RawRecord]) -> dict[TopicPartition, list[bool]]:
        """True for each good record, per partition."""
        places = {(b.raw.topic, b.raw.partition, b.raw.offset) for b in self.failed}
        results: dict[TopicPartition, list[bool]] = defaultdict(list)
        for r in records:
            results[TopicPartition(r.topic, r.partition)].append((r.topic, r.partition, r.offset) not in places)
        return results


class Applier:
    """Applies records within a transaction, alone or many, and finds the culprit when one fails."""

    def __init__(self, handler: BatchHandler) -> None:
        self._handler = handler

    async def apply_all(self, tx: Transaction, records: Sequence[ReceivedRecord]) -> None:
        """All at once; raises what any of them raises."""
        held = await parking.parked_keys(tx, {r.key for r in records})
        await parking.insert_waiting(tx, [r for r in records if r.key in held])
        fresh = await inbox.claim(tx, [r for r in records if r.key not in held])
        if fresh:
            await self._handler(tx, fresh)

    async def bisect_failures(self, tx: Transaction, records: Sequence[ReceivedRecord], result: BatchResult) -> None:
        """The same behind savepoints, halving until each culprit is alone; it becomes a dead letter and its case is parked."""
        if not records:
            return
        try:
            async with tx.savepoint():
                await self.apply_all(tx, records)
        except Exception as error:
            if tx.driver_connection.is_closed() or is_infrastructure(error):
                raise
            if len(records) == 1:
                await send_to_dead_letters(tx, records[0], error, result)
                return
        else:
            return
        half = len(records) // 2
        await self.bisect_failures(tx, records[:half], result)
        await self.bisect_failures(tx, records[half:], result)


async def send_to_dead_letters(tx: Transaction, record: ReceivedRecord, error: BaseException, result: BatchResult) -> int:
    """Write a record off as a dead letter and park its case, unless the error says not to; returns the letter's id."""
    bad = FailedRecord(record.raw, redacted_reason(error))
    [letter] = await store.insert_dead_letters(tx, [bad])
    park = error.park if isinstance(error, Rejected) else True
    if park:
        await parking.park(tx, record.key, letter)
    result.failed.append(bad)
    with log_context(case=record.key, event=str(record.id), trace=record.traceparent):
        log.error("record became a dead letter", letter=letter, parked=park, reason=bad.reason, topic=record.topic, offset=record.offset)
    return letter


class BatchProcessor:
    """Runs batches to their commit: retries outages, isolates culprits, stops partitions that go bad."""

    def __init__(
        self, database: Database, decoder: RecordDecoder, handler: BatchHandler, *, breaker: Breaker, health: Health, retry_seconds: float
    ) -> None:
        self.database = database
        self.breaker = breaker
        self.decoder = decoder
        self.stopping = asyncio.Event()
        self._applier = Applier(handler)
        self._health = health
        self._retry_seconds = retry_seconds

    async def process(self, records: Sequence[RawRecord], partition_counts: Mapping[str, int]) -> None:
        """Commit a batch's effect; `partitions` is the number of partitions by topic.

        Outages are retried for `patience` seconds, then raised with nothing skipped. Records of a stopped partition are left out.
        """
        started = monotonic()
        read = [self.decoder.decode(raw, partition_counts[raw.topic]) for raw in records]
        for attempt in range(10_000):
            try:
                await self._commit_running_partitions(read)
            except Exception as error:
                self._health.set_trouble("database", redacted_reason(error))
                metrics.BATCH_RETRIES.inc()
                pause = backoff(attempt)
                log.warning("batch is tried again", attempt=attempt, records=len(records), reason=redacted_reason(error))
                if self.stopping.is_set() or monotonic() + pause - started > self._retry_seconds:
                    raise
                await asyncio.sleep(pause)
            else:
                break
        self._health.clear_trouble("database")
        _measure(records, read, monotonic() - started)

    async def _commit_running_partitions(self, read: Sequence[ReceivedRecord | FailedRecord]) -> None:
        while True:
            kept = [r for r in read if TopicPartition(r.raw.topic, r.raw.partition) not in self.breaker.stopped_partitions]
            try:
                await self._commit(kept)
            except _PartitionsStoppedError as stopped:
                self._stop_partitions(stopped.partitions)
            else:
                return

    async def _commit(self, read: Sequence[ReceivedRecord | FailedRecord]) -> None:
        good = [r for r in read if isinstance(r, ReceivedRecord)]
        outcome = BatchResult([r for r in read if isinstance(r, FailedRecord)])
        try:
            results = await self._apply_in_transaction(read, good, outcome, bisect=False)
        except Exception as error:
            if isinstance(error, _PartitionsStoppedError) or is_infrastructure(error):
                raise
            log.warning("batch is taken apart to find the record at fault", records=len(good), reason=redacted_reason(error))
            outcome = BatchResult([r for r in read if isinstance(r, FailedRecord)])
            results = await self._apply_in_transaction(read, good, outcome, bisect=True)
        self.breaker.record_results(results)
        for bad in outcome.failed:
            metrics.RECORDS.labels(bad.raw.topic, "dead").inc()

    async def _apply_in_transaction(
        self, read: Sequence[ReceivedRecord | FailedRecord], good: Sequence[ReceivedRecord], outcome: BatchResult, *, bisect: bool
    ) -> dict[TopicPartition, list[bool]]:
        async with self.database.transaction() as tx:
            await store.insert_dead_letters(tx, outcome.failed)
            if bisect:
                await self._applier.bisect_failures(tx, good, outcome)
            else:
                await self._applier.apply_all(tx, good)
            results = outcome.successes_by_partition([r.raw for r in read])
            if tripped := self.breaker.would_trip(results):
                raise _PartitionsStoppedError(tripped)
        return results

    def _stop_partitions(self, partitions: Collection[TopicPartition]) -> None:
        self.breaker.stopped_partitions.update(partitions)
        metrics.BREAKER_OPEN.set(len(self.breaker.stopped_partitions))
        names = ", ".join(sorted(f"{p.topic}-{p.partition}" for p in self.breaker.stopped_partitions))
        self._health.set_trouble("breaker", f"too many bad records, stopped: {names}; see the runbook, then restart")
        log.error("partitions stopped: too many bad records", partitions=names)


def _measure(records: Sequence[RawRecord], read: Sequence[ReceivedRecord | FailedRecord], seconds: float) -> None:
    metrics.BATCH_SIZE.observe(len(records))
    metrics.BATCH_SECONDS.observe(seconds)
    by_topic: dict[str, int] = defaultdict(int)
    for record in read:
        by_topic[record.raw.topic] += isinstance(record, ReceivedRecord)
    for topic, count in by_topic.items():
        metrics.RECORDS.labels(topic, "read").inc(count)
    for raw in records:
        if raw.timestamp_type != LOG_APPEND_TIME:
            metrics.UNTRUSTED_TIMESTAMPS.labels(raw.topic).inc()
