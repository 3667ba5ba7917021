"""Fires due timers: one transaction locks the cases, deletes their timers, and calls the service."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from shared.runtime.clock import Clock
from shared.runtime.database.bisection import apply_or_bisect
from shared.runtime.database.database import Database, Transaction
from shared.runtime.dead_letters import parking, store
from shared.runtime.dead_letters.breaker import Breaker, RepeatedFaultError
from shared.runtime.kafka.record import FailedRecord, RawRecord
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.process import metrics
from shared.runtime.process.failures import fault_signature, redacted_reason
from shared.runtime.timers import timers
from shared.runtime.timers.blocked_cases import BlockedCases
from shared.runtime.timers.timers import DueTimer
from shared.runtime.tracing.context import Activity, exemplar, working_on
from shared.runtime.tracing.linked_traces import LinkedTraces
from shared.runtime.tracing.spans import AttributeValue, Tracing

TIMER_PSEUDO_TOPIC = "(timer)"
"""The topic in the dead letter of a case whose timer failed."""
LockCases = Callable[[Transaction, Sequence[str]], Awaitable[Sequence[str]]]
"""Locks cases with SKIP LOCKED, sorted by id; returns the ids that were locked."""
FireTimers = Callable[[Transaction, Sequence[DueTimer], datetime], Awaitable[None]]
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class FiredBatch:
    """What one transaction did: how many cases were due, the timers that fired, and the faults that parked cases instead."""

    due: int = 0
    fired: list[DueTimer] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether more cases may be due."""
        return self.due >= timers.BATCH_CASES


class TimerFiring:
    """Fires due timers of partitions that this process owns."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        watermark: Watermark,
        *,
        lock_cases: LockCases,
        fire_timers: FireTimers,
        breaker: Breaker,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing or Tracing("")
        self._database = database
        self._clock = clock
        self._watermark = watermark
        self._lock_cases = lock_cases
        self._fire_timers = fire_timers
        self._breaker = breaker
        self._blocked = BlockedCases()

    async def fire_batch(self, partitions: Sequence[int]) -> FiredBatch:
        """Fire the timers of up to BATCH_CASES cases in one transaction, from the first of the partitions on."""
        try:
            batch = await self._fire_batch(partitions)
        except RepeatedFaultError as repeated:
            self._breaker.open(repeated.fault)
            return FiredBatch()
        self._breaker.record(batch.faults)
        self._measure(batch.fired)
        return batch

    async def _fire_batch(self, partitions: Sequence[int]) -> FiredBatch:
        now = self._clock.now()
        # The broker's clock may be ahead of ours: nothing fires before its instant. A partition that was revoked has no instant.
        cutoffs = {partition: min(self._watermark.read_until(partition), now) for partition in partitions}
        batch = FiredBatch()
        async with self._database.transaction() as tx:
            due = set(await timers.find_due(tx, cutoffs, self._blocked.waiting()))
            if not due:
                return batch
            batch.due = len(due)
            # Cases before timers: the order in which a batch locks them.
            locked = sorted(await self._lock_cases(tx, sorted(due)))
            self._blocked.update(blocked=due.difference(locked), locked=locked)
            await self._take_and_fire(tx, locked, cutoffs, batch)
            self._breaker.check(batch.faults)
        return batch

    async def _take_and_fire(self, tx: Transaction, cases: Sequence[str], cutoffs: Mapping[int, datetime], batch: FiredBatch) -> None:
        """Delete the due timers and call the service. A failing case is found by bisection and parked; its timer stays armed."""

        async def fire(part: Sequence[str]) -> None:
            taken = await timers.take_due(tx, part, cutoffs)
            traces = LinkedTraces(self._tracing)
            due = [self._traced(timer, traces) for timer in taken] if self._tracing.is_on else taken
            if due:
                with working_on(Activity(due[0].traceparent, due[0].case_id) if len(due) == 1 else Activity()):
                    await self._fire_timers(tx, due, self._clock.now())
            batch.fired.extend(due)
            tx.after_commit(traces.end)

        async def park(case: str, error: Exception) -> None:
            await self._park(tx, case, error)
            batch.faults.append(fault_signature(error))

        await apply_or_bisect(tx, cases, fire, park)

    def _traced(self, timer: DueTimer, traces: LinkedTraces) -> DueTimer:
        late = max(0.0, -self._clock.seconds_until(timer.due_at))
        attributes: dict[str, AttributeValue] = {
            "jiesu.case": timer.case_id,
            "jiesu.due_at": timer.due_at.isoformat(),
            "jiesu.late_seconds": late,
        }
        return replace(timer, traceparent=traces.start("fire timer", timer.traceparent, attributes))

    async def _park(self, tx: Transaction, case: str, error: BaseException) -> None:
        # A dead letter is unique by topic, partition and offset: any sequence of the schema supplies a fresh offset.
        offset = await tx.fetchval("SELECT nextval(pg_get_serial_sequence('waiting', 'id'))")
        raw = RawRecord(
            topic=TIMER_PSEUDO_TOPIC,
            partition=-1,
            offset=offset,
            timestamp_ms=int(self._clock.real_now().timestamp() * 1000),
            timestamp_type=0,
            key=case,
            raw_key=case.encode(),
            body=None,
            headers=(),
        )
        [letter] = await store.insert_dead_letters(tx, [FailedRecord(raw, redacted_reason(error))])
        await parking.park(tx, case, letter)
        log.error("case parked: its timer failed", case=case, letter=letter, reason=redacted_reason(error))

    def _measure(self, fired: Sequence[DueTimer]) -> None:
        metrics.TIMERS_FIRED.inc(len(fired))
        now = self._clock.real_now()
        for timer in fired:
            lateness = (now - self._clock.to_real(timer.due_at)) / timedelta(seconds=1)
            metrics.TIMER_LATENESS.observe(max(0.0, lateness), exemplar(timer.traceparent))
