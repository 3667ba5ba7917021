"""Processes the records of a poll in batches; a batch is one transaction with its inbox, state, outbox and dead letters."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import structlog

from shared.runtime.clock import Clock, monotonic
from shared.runtime.database.database import Database
from shared.runtime.dead_letters import set_aside, store
from shared.runtime.dead_letters.breaker import Breaker, RepeatedFaultError
from shared.runtime.kafka.record import LOG_APPEND_TIME, FailedRecord, RawRecord, ReceivedRecord
from shared.runtime.kafka.record_decoder import RecordDecoder
from shared.runtime.process import metrics
from shared.runtime.process.failures import is_infrastructure, redacted_reason
from shared.runtime.process.health import Health
from shared.runtime.process.waiting import Backoff
from shared.runtime.processing.failure_isolation import Applier, BatchHandler, BatchResult
from shared.runtime.processing.record_spans import RecordSpans
from shared.runtime.processing.scheduling import merge_by_timestamp, split_by_partition
from shared.runtime.processing.sender_limits import UNVERIFIED, SenderLimits
from shared.runtime.tracing.context import exemplar
from shared.runtime.tracing.spans import Tracing

log = structlog.get_logger(__name__)


class BatchProcessor:
    """Commits batches: retries on infrastructure errors, isolates failing records, sets senders of bad input aside."""

    def __init__(
        self,
        database: Database,
        decoder: RecordDecoder,
        handler: BatchHandler,
        *,
        breaker: Breaker,
        limits: SenderLimits,
        health: Health,
        clock: Clock,
        batch_size: int,
        retry_seconds: float,
        on_repeated: BatchHandler | None = None,
        spans: RecordSpans | None = None,
    ) -> None:
        self._spans = spans or RecordSpans(Tracing(""))
        self.breaker = breaker
        self.decoder = decoder
        self.stopping = asyncio.Event()
        self.on_read: Callable[[Sequence[RawRecord]], None] | None = None
        """Is called with the records of each committed batch, while somebody counts them."""
        self._database = database
        self._applier = Applier(handler, on_repeated)
        self._health = health
        self._clock = clock
        self._limits = limits
        self._batch_size = batch_size
        self._retry_seconds = retry_seconds

    async def process_poll(self, records: Sequence[RawRecord], partition_counts: Mapping[str, int]) -> None:
        """Commit all records, `partition_counts` by topic. Two groups of partitions are processed in parallel if there are many records.

        Raises the infrastructure error that outlasted the retries. Batches that were committed by then are skipped by their inbox
        when the poll is repeated, as they are after the breaker has opened: then the rest of the poll is not processed.
        """
        ordered = merge_by_timestamp(records)
        # Ten records cost nearly as much as fifty: a small poll is cheaper as one transaction than as two.
        groups = [ordered] if len(ordered) <= self._batch_size // 2 else split_by_partition(ordered)
        # One deadline for all batches of the poll: each with its own would exceed max_poll_interval_ms together.
        give_up_at = monotonic() + self._retry_seconds
        # Both groups end before the poll fails; the inbox then skips what one of them has committed.
        results = await asyncio.gather(
            *(self._process_group(group, partition_counts, give_up_at) for group in groups), return_exceptions=True
        )
        for error in results:
            if error is not None:
                raise error

    async def _process_group(self, records: Sequence[RawRecord], partition_counts: Mapping[str, int], give_up_at: float) -> None:
        for first in range(0, len(records), self._batch_size):
            await self._process_batch(records[first : first + self._batch_size], partition_counts, give_up_at)

    async def _process_batch(self, records: Sequence[RawRecord], partition_counts: Mapping[str, int], give_up_at: float) -> None:
        started = monotonic()
        decoded, spans = self._spans.start([self.decoder.decode(record, partition_counts[record.topic]) for record in records])
        backoff = Backoff(initial_seconds=0.05, max_seconds=5.0)
        while not self.breaker.is_open:
            try:
                result = await self._commit(decoded)
            except RepeatedFaultError as repeated:
                self.breaker.open(repeated.fault)
            except Exception as error:
                self._health.set_trouble("batches", f"a batch failed and is retried ({redacted_reason(error)})")
                metrics.BATCH_RETRIES.inc()
                log.warning("batch failed", failures=backoff.failures + 1, records=len(records), reason=redacted_reason(error))
                wait = backoff.next_wait()
                # The poll loop waits here: beyond max_poll_interval_ms the group would take the partitions away.
                if self.stopping.is_set() or monotonic() + wait > give_up_at:
                    spans.end(error=redacted_reason(error))
                    raise
                await asyncio.sleep(wait)
            else:
                self._health.clear_trouble("batches")
                _measure(records, decoded, monotonic() - started)
                measure_lag(decoded, self._clock.real_now())
                spans.end((*result.bad_input, *result.by_fault))
                if self.on_read is not None:
                    self.on_read(records)
                return
        spans.end(error="reading stopped: the breaker is open")

    async def _commit(self, decoded: Sequence[ReceivedRecord | FailedRecord]) -> BatchResult:
        try:
            result = await self._apply_in_transaction(decoded, bisect=False)
        except Exception as error:
            if is_infrastructure(error):
                raise
            log.warning("batch is bisected to find the failing record", records=len(decoded), reason=redacted_reason(error))
            result = await self._apply_in_transaction(decoded, bisect=True)
        # After the commit: a batch that is rolled back and tried again must not count twice.
        self.breaker.record(result.faults)
        self._limits.count_bad(result.bad_input)
        for failure in (*result.bad_input, *result.by_fault):
            metrics.RECORDS.labels(failure.raw.topic, "dead").inc()
        return result

    async def _apply_in_transaction(self, decoded: Sequence[ReceivedRecord | FailedRecord], *, bisect: bool) -> BatchResult:
        """One transaction: dead letters, then the inbox claims the ids and the handler gets the new records (both in `Applier`)."""
        received = [record for record in decoded if isinstance(record, ReceivedRecord)]
        result = BatchResult([record for record in decoded if isinstance(record, FailedRecord)])
        parts = set_aside.split(received, self._limits.limited_senders(received))
        async with self._database.transaction() as tx:
            await store.insert_dead_letters(tx, result.bad_input)
            if bisect:
                await self._applier.bisect_failures(tx, parts.to_apply, result)
            else:
                await self._applier.apply_all(tx, parts.to_apply)
            await set_aside.hold(tx, parts.to_hold)
            # Before the commit, so that the cases of a bad release are not parked but read again after it is corrected.
            self.breaker.check(result.faults)
        for record in parts.to_hold:
            metrics.SET_ASIDE.labels(record.sender or UNVERIFIED).inc()
        return result


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


def measure_lag(decoded: Sequence[ReceivedRecord | FailedRecord], committed_at: datetime) -> None:
    """Observe the lag of each record; the exemplar is the trace of the slowest one, since that is the one that somebody looks for."""
    now_ms = committed_at.timestamp() * 1000
    by_topic: dict[str, list[RawRecord]] = defaultdict(list)
    slowest: dict[str, ReceivedRecord] = {}
    for record in decoded:
        by_topic[record.raw.topic].append(record.raw)
        if isinstance(record, ReceivedRecord):
            slowest[record.topic] = min(slowest.get(record.topic, record), record, key=lambda each: each.raw.timestamp_ms)
    for topic, records in by_topic.items():
        histogram = metrics.RECORD_LAG.labels(topic)
        first = slowest.get(topic)
        for raw in records:
            trace = exemplar(first.traceparent) if first is not None and raw is first.raw else None
            # A clock of ours that is behind the broker's makes no negative lag.
            histogram.observe(max(0.0, now_ms - raw.timestamp_ms) / 1000, trace)
