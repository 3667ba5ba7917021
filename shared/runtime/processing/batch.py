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
from shared.runtime.kafka.record import LOG_APPEND_TIME, Bad, Raw, Reader, Received
from shared.runtime.process import metrics
from shared.runtime.process.failures import is_infrastructure, reason
from shared.runtime.process.health import Health
from shared.runtime.process.logging import bound
from shared.runtime.process.scheduling import in_turns
from shared.runtime.processing import inbox
from shared.runtime.processing.breaker import Breaker

Handler = Callable[[Transaction, Sequence[Received]], Awaitable[None]]
log = structlog.get_logger(__name__)


class _StoppedError(Exception):
    """Inside a batch: these partitions went bad; roll back and do the batch without them."""

    def __init__(self, partitions: Collection[TopicPartition]) -> None:
        super().__init__()
        self.partitions = partitions


@dataclass
class Outcome:
    """What became of a batch's records, in order."""

    bad: list[Bad] = field(default_factory=list)

    def by_partition(self, records: Sequence[Raw]) -> dict[TopicPartition, list[bool]]:
        """True for each good record, per partition."""
        places = {(b.raw.topic, b.raw.partition, b.raw.offset) for b in self.bad}
        results: dict[TopicPartition, list[bool]] = defaultdict(list)
        for r in records:
            results[TopicPartition(r.topic, r.partition)].append((r.topic, r.partition, r.offset) not in places)
        return results


class Applier:
    """Applies records within a transaction, alone or many, and finds the culprit when one fails."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def together(self, tx: Transaction, records: Sequence[Received]) -> None:
        """All at once; raises what any of them raises."""
        held = await parking.parked(tx, {r.key for r in records})
        await parking.wait(tx, [r for r in records if r.key in held])
        fresh = await inbox.claim(tx, [r for r in records if r.key not in held])
        if fresh:
            await self._handler(tx, fresh)

    async def apart(self, tx: Transaction, records: Sequence[Received], outcome: Outcome) -> None:
        """The same behind savepoints, halving until each culprit is alone; it becomes a dead letter and its case is parked."""
        if not records:
            return
        try:
            async with tx.savepoint():
                await self.together(tx, records)
        except Exception as error:
            if tx.raw.is_closed() or is_infrastructure(error):
                raise
            if len(records) == 1:
                await condemn(tx, records[0], error, outcome)
                return
        else:
            return
        half = len(records) // 2
        await self.apart(tx, records[:half], outcome)
        await self.apart(tx, records[half:], outcome)


async def condemn(tx: Transaction, record: Received, error: BaseException, outcome: Outcome) -> int:
    """Write a record off as a dead letter and park its case, unless the error says not to; returns the letter's id."""
    bad = Bad(record.raw, reason(error))
    [letter] = await store.write(tx, [bad])
    park = error.park if isinstance(error, Rejected) else True
    if park:
        await parking.park(tx, record.key, letter)
    outcome.bad.append(bad)
    with bound(case=record.key, event=str(record.id), trace=record.traceparent):
        log.error("record became a dead letter", letter=letter, parked=park, reason=bad.reason, topic=record.topic, offset=record.offset)
    return letter


class BatchProcessor:
    """Runs batches to their commit: retries outages, isolates culprits, stops partitions that go bad."""

    def __init__(self, database: Database, reader: Reader, handler: Handler, *, breaker: Breaker, health: Health, patience: float) -> None:
        self.database = database
        self.breaker = breaker
        self.reader = reader
        self.stopping = asyncio.Event()
        self._applier = Applier(handler)
        self._health = health
        self._patience = patience

    async def process(self, records: Sequence[Raw], partitions: Mapping[str, int]) -> None:
        """Commit a batch's effect; `partitions` is the number of partitions by topic.

        Outages are retried for `patience` seconds, then raised with nothing skipped. Records of a stopped partition are left out.
        """
        started = monotonic()
        read = [self.reader.read(raw, partitions[raw.topic]) async for raw in in_turns(records)]
        for attempt in range(10_000):
            try:
                await self._once(read)
            except Exception as error:
                self._health.set("database", reason(error))
                metrics.BATCH_RETRIES.inc()
                pause = backoff(attempt)
                log.warning("batch is tried again", attempt=attempt, records=len(records), reason=reason(error))
                if self.stopping.is_set() or monotonic() + pause - started > self._patience:
                    raise
                await asyncio.sleep(pause)
            else:
                break
        self._health.clear("database")
        _measure(records, read, monotonic() - started)

    async def _once(self, read: Sequence[Received | Bad]) -> None:
        while True:
            kept = [r for r in read if TopicPartition(r.raw.topic, r.raw.partition) not in self.breaker.stopped]
            try:
                await self._commit(kept)
            except _StoppedError as stopped:
                self._stop(stopped.partitions)
            else:
                return

    async def _commit(self, read: Sequence[Received | Bad]) -> None:
        good = [r for r in read if isinstance(r, Received)]
        outcome = Outcome([r for r in read if isinstance(r, Bad)])
        try:
            results = await self._transact(read, good, outcome, apart=False)
        except Exception as error:
            if isinstance(error, _StoppedError) or is_infrastructure(error):
                raise
            log.warning("batch is taken apart to find the record at fault", records=len(good), reason=reason(error))
            outcome = Outcome([r for r in read if isinstance(r, Bad)])
            results = await self._transact(read, good, outcome, apart=True)
        self.breaker.remember(results)
        for bad in outcome.bad:
            metrics.RECORDS.labels(bad.raw.topic, "dead").inc()

    async def _transact(
        self, read: Sequence[Received | Bad], good: Sequence[Received], outcome: Outcome, *, apart: bool
    ) -> dict[TopicPartition, list[bool]]:
        async with self.database.transaction() as tx:
            await store.write(tx, outcome.bad)
            if apart:
                await self._applier.apart(tx, good, outcome)
            else:
                await self._applier.together(tx, good)
            results = outcome.by_partition([r.raw for r in read])
            if tripped := self.breaker.judge(results):
                raise _StoppedError(tripped)
        return results

    def _stop(self, partitions: Collection[TopicPartition]) -> None:
        self.breaker.stopped.update(partitions)
        metrics.BREAKER_OPEN.set(len(self.breaker.stopped))
        names = ", ".join(sorted(f"{p.topic}-{p.partition}" for p in self.breaker.stopped))
        self._health.set("breaker", f"too many bad records, stopped: {names}; see the runbook, then restart")
        log.error("partitions stopped: too many bad records", partitions=names)


def _measure(records: Sequence[Raw], read: Sequence[Received | Bad], seconds: float) -> None:
    metrics.BATCH_SIZE.observe(len(records))
    metrics.BATCH_SECONDS.observe(seconds)
    by_topic: dict[str, int] = defaultdict(int)
    for record in read:
        by_topic[record.raw.topic] += isinstance(record, Received)
    for topic, count in by_topic.items():
        metrics.RECORDS.labels(topic, "read").inc(count)
    for raw in records:
        if raw.timestamp_type != LOG_APPEND_TIME:
            metrics.UNTRUSTED_TIMESTAMPS.labels(raw.topic).inc()
