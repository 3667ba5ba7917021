"""Processes the records of a poll in batches; a batch is one transaction with its inbox, state, outbox and dead letters."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import structlog
from aiokafka import TopicPartition

from shared.runtime.clock import monotonic
from shared.runtime.database.database import Database
from shared.runtime.dead_letters import store
from shared.runtime.kafka.record import LOG_APPEND_TIME, FailedRecord, RawRecord, ReceivedRecord
from shared.runtime.kafka.record_decoder import RecordDecoder
from shared.runtime.process import metrics
from shared.runtime.process.failures import is_infrastructure, redacted_reason
from shared.runtime.process.health import Health
from shared.runtime.process.waiting import Backoff
from shared.runtime.processing.breaker import Breaker
from shared.runtime.processing.failure_isolation import Applier, BatchHandler, BatchResult
from shared.runtime.processing.scheduling import merge_by_timestamp, split_by_partition

log = structlog.get_logger(__name__)


class _PartitionsStoppedError(Exception):
    """The breaker tripped for these partitions: roll back and process the batch without them."""

    def __init__(self, partitions: Collection[TopicPartition]) -> None:
        super().__init__()
        self.partitions = partitions


class BatchProcessor:
    """Commits batches: retries on infrastructure errors, isolates failing records, stops bad partitions."""

    def __init__(
        self,
        database: Database,
        decoder: RecordDecoder,
        handler: BatchHandler,
        *,
        breaker: Breaker,
        health: Health,
        batch_size: int,
        retry_seconds: float,
    ) -> None:
        self.breaker = breaker
        self.decoder = decoder
        self.stopping = asyncio.Event()
        self._database = database
        self._applier = Applier(handler)
        self._health = health
        self._batch_size = batch_size
        self._retry_seconds = retry_seconds

    async def process_poll(self, records: Sequence[RawRecord], partition_counts: Mapping[str, int]) -> None:
        """Commit all records, `partition_counts` by topic. Two groups of partitions are processed in parallel if there are many records.

        Raises the infrastructure error that outlasted the retries. Batches that were committed by then are skipped by their inbox
        when the poll is repeated; records of stopped partitions are left out.
        """
        ordered = merge_by_timestamp(records)
        groups = [ordered] if len(ordered) <= self._batch_size // 2 else split_by_partition(ordered)
        results = await asyncio.gather(*(self._process_group(group, partition_counts) for group in groups), return_exceptions=True)
        for error in results:
            if error is not None:
                raise error

    async def _process_group(self, records: Sequence[RawRecord], partition_counts: Mapping[str, int]) -> None:
        for first in range(0, len(records), self._batch_size):
            await self._process_batch(records[first : first + self._batch_size], partition_counts)

    async def _process_batch(self, records: Sequence[RawRecord], partition_counts: Mapping[str, int]) -> None:
        started = monotonic()
        decoded = [self.decoder.decode(record, partition_counts[record.topic]) for record in records]
        backoff = Backoff(initial_seconds=0.05, max_seconds=5.0)
        while True:
            try:
                await self._commit_running_partitions(decoded)
            except Exception as error:
                self._health.set_trouble("database", redacted_reason(error))
                metrics.BATCH_RETRIES.inc()
                log.warning("batch failed", failures=backoff.failures + 1, records=len(records), reason=redacted_reason(error))
                wait = backoff.next_wait()
                # The poll loop waits here: beyond max_poll_interval_ms the group would take the partitions away.
                if self.stopping.is_set() or monotonic() + wait - started > self._retry_seconds:
                    raise
                await asyncio.sleep(wait)
            else:
                break
        self._health.clear_trouble("database")
        _measure(records, decoded, monotonic() - started)

    async def _commit_running_partitions(self, decoded: Sequence[ReceivedRecord | FailedRecord]) -> None:
        while True:
            stopped = self.breaker.stopped_partitions
            running = [record for record in decoded if TopicPartition(record.raw.topic, record.raw.partition) not in stopped]
            try:
                await self._commit(running)
            except _PartitionsStoppedError as stopped:
                self._stop_partitions(stopped.partitions)
            else:
                return

    async def _commit(self, decoded: Sequence[ReceivedRecord | FailedRecord]) -> None:
        try:
            result = await self._apply_in_transaction(decoded, bisect=False)
        except Exception as error:
            if isinstance(error, _PartitionsStoppedError) or is_infrastructure(error):
                raise
            log.warning("batch is bisected to find the failing record", records=len(decoded), reason=redacted_reason(error))
            result = await self._apply_in_transaction(decoded, bisect=True)
        for failure in result.failed:
            metrics.RECORDS.labels(failure.raw.topic, "dead").inc()

    async def _apply_in_transaction(self, decoded: Sequence[ReceivedRecord | FailedRecord], *, bisect: bool) -> BatchResult:
        received = [record for record in decoded if isinstance(record, ReceivedRecord)]
        result = BatchResult([record for record in decoded if isinstance(record, FailedRecord)])
        async with self._database.transaction() as tx:
            await store.insert_dead_letters(tx, result.failed)
            if bisect:
                await self._applier.bisect_failures(tx, received, result)
            else:
                await self._applier.apply_all(tx, received)
            successes = result.successes_by_partition([record.raw for record in decoded])
            # Before the commit, so that the dead letters of the tripped partitions are rolled back.
            if tripped := self.breaker.would_trip(successes):
                raise _PartitionsStoppedError(tripped)
        self.breaker.record_results(successes)
        return result

    def _stop_partitions(self, partitions: Collection[TopicPartition]) -> None:
        self.breaker.stopped_partitions.update(partitions)
        metrics.BREAKER_OPEN.set(len(self.breaker.stopped_partitions))
        names = ", ".join(sorted(f"{p.topic}-{p.partition}" for p in self.breaker.stopped_partitions))
        self._health.set_trouble("breaker", f"too many failed records, stopped: {names}; see the runbook, then restart")
        log.error("partitions stopped: too many failed records", partitions=names)


def _measure(records: Sequence[RawRecord], decoded: Sequence[ReceivedRecord | FailedRecord], seconds: float) -> None:
    metrics.BATCH_SIZE.observe(len(records))
    metrics.BATCH_SECONDS.observe(seconds)
    received: dict[str, int] = defaultdict(int)
    for record in decoded:
        received[record.raw.topic] += isinstance(record, ReceivedRecord)
    for topic, count in received.items():
        metrics.RECORDS.labels(topic, "read").inc(count)
    for raw in records:
        if raw.timestamp_type != LOG_APPEND_TIME:
            metrics.UNTRUSTED_TIMESTAMPS.labels(raw.topic).inc()
