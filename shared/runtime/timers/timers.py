"""Timers: one row for each case with its next due instant, which fires once, after the watermark has passed it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

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
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.process.waiting import Backoff, sleep_or_stop, wait_for_any
from shared.runtime.timers.blocked_cases import BlockedCases
from shared.runtime.tracing.context import Activity, exemplar, is_sampled, working_on
from shared.runtime.tracing.linked_traces import LinkedTraces
from shared.runtime.tracing.spans import AttributeValue, Tracing

_NO_TRACES: Mapping[str, str | None] = MappingProxyType({})
BATCH_CASES = 500
TIMER_PSEUDO_TOPIC = "(timer)"
"""The topic in the dead letter of a case whose timer failed."""
_WATERMARK_POLL_SECONDS = 0.05
# Every event of a case arms its timer again: the traceparent stays that of the event which set the instant.
_ARM = """
INSERT INTO timer (case_id, partition, due_at, traceparent)
SELECT case_id, partition, due_at, traceparent
FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::text[]) AS armed (case_id, partition, due_at, traceparent)
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET partition = excluded.partition, due_at = excluded.due_at,
    traceparent = CASE WHEN timer.due_at = excluded.due_at THEN timer.traceparent ELSE excluded.traceparent END
"""
_ARM_EARLIER = _ARM.replace("due_at = excluded.due_at,", "due_at = LEAST(timer.due_at, excluded.due_at),").replace(
    "timer.due_at = excluded.due_at THEN", "timer.due_at <= excluded.due_at THEN"
)
# DELETE alone locks in the order of its scan; the subquery locks in the order of the ids, as _ARM does.
_DISARM = "DELETE FROM timer WHERE case_id IN (SELECT case_id FROM timer WHERE case_id = ANY($1::text[]) ORDER BY case_id FOR UPDATE)"
# LATERAL reads the index of (partition, due_at) once for each partition and ends at the limit.
_DUE = """
SELECT due.case_id FROM unnest($1::int[], $2::timestamptz[]) AS owned (partition, cutoff)
CROSS JOIN LATERAL (
    SELECT timer.case_id, timer.due_at FROM timer
    WHERE timer.partition = owned.partition AND timer.due_at <= owned.cutoff
      AND NOT EXISTS (SELECT FROM parked WHERE parked.key = timer.case_id) AND timer.case_id <> ALL($4::text[])
    ORDER BY timer.due_at LIMIT $3) AS due
ORDER BY due.due_at LIMIT $3
"""
# Compared again under the locks of the cases: since _DUE a batch may have moved a timer or parked its case.
_TAKE_DUE = """
DELETE FROM timer USING unnest($2::int[], $3::timestamptz[]) AS owned (partition, cutoff)
WHERE timer.case_id = ANY($1::text[]) AND timer.partition = owned.partition AND timer.due_at <= owned.cutoff
  AND NOT EXISTS (SELECT FROM parked WHERE parked.key = timer.case_id)
RETURNING timer.case_id, timer.partition, timer.due_at, owned.cutoff, timer.traceparent
"""
_NEXT = """
SELECT owned.partition, next.due_at FROM unnest($1::int[]) AS owned (partition)
CROSS JOIN LATERAL (
    SELECT timer.due_at FROM timer WHERE timer.partition = owned.partition
      AND NOT EXISTS (SELECT FROM parked WHERE parked.key = timer.case_id)
    ORDER BY timer.due_at LIMIT 1) AS next
"""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A case whose timer is due. What is due at or before `cutoff` may be decided, nothing later: only that much input has been read.

    Instants are in domain time. `traceparent` is that of the timer's span, as the parent of what it causes; None without one.
    """

    case_id: str
    partition: int
    due_at: datetime
    cutoff: datetime
    traceparent: str | None = None


LockCases = Callable[[Transaction, Sequence[str]], Awaitable[Sequence[str]]]
"""Locks cases with SKIP LOCKED, sorted by id; returns the ids that were locked."""
FireTimers = Callable[[Transaction, Sequence[DueTimer], datetime], Awaitable[None]]


async def arm(
    tx: Transaction, timers: Mapping[str, tuple[int, datetime | None]], traceparents: Mapping[str, str | None] = _NO_TRACES
) -> None:
    """Set the next due instant of each case, with the case's partition; None disarms the timer.

    `traceparents` are those of the events that arm the timers, by case.
    """
    # Sorted, so that transactions lock the rows in the same order.
    armed = sorted((case, partition, due) for case, (partition, due) in timers.items() if due is not None)
    disarmed = sorted(case for case, (_, due) in timers.items() if due is None)
    if armed:
        await tx.execute(_ARM, *_columns(armed, traceparents))
        tx.after_commit(tx.database.timers_armed.set)
    if disarmed:
        await tx.execute(_DISARM, disarmed)


async def arm_earlier(
    tx: Transaction, timers: Mapping[str, tuple[int, datetime]], traceparents: Mapping[str, str | None] = _NO_TRACES
) -> None:
    """Set the due instant of each case where its timer is later or absent."""
    if timers:
        armed = sorted((case, partition, due) for case, (partition, due) in timers.items())
        await tx.execute(_ARM_EARLIER, *_columns(armed, traceparents))
        tx.after_commit(tx.database.timers_armed.set)


def _columns(armed: Sequence[tuple[str, int, datetime]], traceparents: Mapping[str, str | None]) -> list[Sequence[Any]]:
    cases, partitions, due_instants = zip(*armed, strict=True)
    # Only of sampled traces: there is nothing to link to others.
    return [cases, partitions, due_instants, [each if is_sampled(each := traceparents.get(case)) else None for case in cases]]


class TimerLoop:
    """Fires the due timers of the partitions that this process owns."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        watermark: Watermark,
        *,
        lock_cases: LockCases,
        fire_timers: FireTimers,
        health: Health,
        breaker: Breaker,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing or Tracing("")
        self._database = database
        self._clock = clock
        self._watermark = watermark
        self._lock_cases = lock_cases
        self._fire_timers = fire_timers
        self._health = health
        self._breaker = breaker
        self._blocked = BlockedCases()

    async def run(self, stop: asyncio.Event, settings: RuntimeSettings) -> None:
        """Fire due timers until `stop`; raises infrastructure errors, after which the timers are still armed."""
        self._health.watch("timers", 60.0)
        poll_seconds = settings.timer_poll_ms / 1000
        idle = Backoff(initial_seconds=2 * _WATERMARK_POLL_SECONDS, max_seconds=max(poll_seconds, 2 * _WATERMARK_POLL_SECONDS))
        while not stop.is_set():
            self._health.beat("timers")
            if self._breaker.is_open:
                await sleep_or_stop(stop, poll_seconds)
                continue
            seconds = await self._seconds_until_next(poll_seconds)
            if seconds > 0:
                await self._sleep(stop, seconds)
            elif await self.run_once():
                idle.reset()
            else:
                # Every due case is locked or erased: the next attempt would find the same.
                await self._sleep(stop, idle.next_wait())
            self._health.clear_trouble("timers")
        self._health.unwatch("timers")

    async def run_once(self) -> int:
        """Fire the timers of up to BATCH_CASES cases in one transaction; returns their number."""
        try:
            fired, faults = await self._fire_batch()
        except RepeatedFaultError as repeated:
            self._breaker.open(repeated.fault)
            return 0
        self._breaker.record(faults)
        self._measure(fired)
        return len(fired)

    async def _fire_batch(self) -> tuple[list[DueTimer], list[str]]:
        """The timers that fired, and the faults that parked cases instead."""
        faults: list[str] = []
        # The broker's clock may be ahead of ours: nothing fires before its instant.
        cutoffs = {p: min(self._watermark.read_until(p), self._clock.now()) for p in self._watermark.owned_partitions()}
        if not cutoffs:
            return [], faults
        async with self._database.transaction() as tx:
            rows = await tx.fetch(_DUE, list(cutoffs), list(cutoffs.values()), BATCH_CASES, self._blocked.waiting())
            if not rows:
                return [], faults
            # Cases before timers: the order in which a batch locks them.
            due = {row["case_id"] for row in rows}
            locked = sorted(await self._lock_cases(tx, sorted(due)))
            self._blocked.update(blocked=due.difference(locked), locked=locked)
            fired = await self._take_and_fire(tx, locked, cutoffs, faults)
            self._breaker.check(faults)
        return fired, faults

    async def _take_and_fire(
        self, tx: Transaction, cases: Sequence[str], cutoffs: Mapping[int, datetime], faults: list[str]
    ) -> list[DueTimer]:
        """Delete the due timers and call the service. A failing case is found by bisection and parked; its timer stays armed."""
        fired: list[DueTimer] = []

        async def fire(part: Sequence[str]) -> None:
            rows = await tx.fetch(_TAKE_DUE, part, list(cutoffs), list(cutoffs.values()))
            taken = sorted((DueTimer(**row) for row in rows), key=lambda timer: timer.case_id)
            traces = LinkedTraces(self._tracing)
            due = [self._traced(timer, traces) for timer in taken] if self._tracing.is_on else taken
            if due:
                with working_on(Activity(due[0].traceparent, due[0].case_id) if len(due) == 1 else Activity()):
                    await self._fire_timers(tx, due, self._clock.now())
            fired.extend(due)
            tx.after_commit(traces.end)

        async def park(case: str, error: Exception) -> None:
            await self._park(tx, case, error)
            faults.append(fault_signature(error))

        await apply_or_bisect(tx, cases, fire, park)
        return fired

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

    async def _seconds_until_next(self, max_seconds: float) -> float:
        """Real seconds to sleep; refreshes the watermark of partitions with due timers."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch(_NEXT, self._watermark.owned_partitions())
        now = self._clock.now()
        due = {row["partition"]: row["due_at"] for row in rows if row["due_at"] <= now}
        metrics.TIMERS_BEHIND.set(max((-self._clock.seconds_until(due_at) for due_at in due.values()), default=0.0))
        metrics.WATERMARK_AGE.set(self._watermark_age(due))
        if due:
            await self._watermark.refresh(due)
            return 0.0 if any(self._watermark.has_passed(p, due_at) for p, due_at in due.items()) else _WATERMARK_POLL_SECONDS
        soonest = min((self._clock.seconds_until(row["due_at"]) for row in rows), default=max_seconds)
        return max(0.0, min(max_seconds, soonest))

    def _watermark_age(self, partitions: Collection[int]) -> float:
        """The lag of the slowest watermark in real seconds; partitions that were never read do not count."""
        read_until = [self._watermark.read_until(p) for p in partitions]
        return max((-self._clock.seconds_until(instant) for instant in read_until if instant.year > 1), default=0.0)

    async def _sleep(self, stop: asyncio.Event, seconds: float) -> None:
        """Sleep until a commit in this process arms a timer or `stop` is set; at least 50 ms, since under load every batch arms timers."""
        if seconds <= 0:
            return
        await sleep_or_stop(stop, min(seconds, _WATERMARK_POLL_SECONDS))
        if seconds > _WATERMARK_POLL_SECONDS:
            await wait_for_any(seconds - _WATERMARK_POLL_SECONDS, stop, self._database.timers_armed)
            self._database.timers_armed.clear()

    def _measure(self, fired: Sequence[DueTimer]) -> None:
        metrics.TIMERS_FIRED.inc(len(fired))
        now = self._clock.real_now()
        for timer in fired:
            lateness = (now - self._clock.to_real(timer.due_at)) / timedelta(seconds=1)
            metrics.TIMER_LATENESS.observe(max(0.0, lateness), exemplar(timer.traceparent))
