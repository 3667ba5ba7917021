"""Due instants of cases as rows, fired once, late rather than wrong: only when the input has been read past them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction
from shared.runtime.dead_letters import parking, store
from shared.runtime.kafka.record import FailedRecord, RawRecord
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.process import metrics
from shared.runtime.process.failures import is_infrastructure, redacted_reason
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.process.waiting import sleep_or_stop

BATCH_CASES = 500
TIMER_PSEUDO_TOPIC = "(timer)"
"""Stands for the topic in the dead letter of a case whose timer could not be fired."""
_WATERMARK_POLL_SECONDS = 0.05
_ARM = """
INSERT INTO timer (case_id, partition, due_at)
SELECT case_id, partition, due_at FROM unnest($1::text[], $2::int[], $3::timestamptz[]) AS armed (case_id, partition, due_at)
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET partition = excluded.partition, due_at = excluded.due_at
"""
_DISARM = "DELETE FROM timer WHERE case_id IN (SELECT case_id FROM timer WHERE case_id = ANY($1::text[]) ORDER BY case_id FOR UPDATE)"
_DUE = """
SELECT due.case_id FROM unnest($1::int[], $2::timestamptz[]) AS held (partition, upto)
CROSS JOIN LATERAL (
    SELECT timer.case_id, timer.due_at FROM timer
    WHERE timer.partition = held.partition AND timer.due_at <= held.upto
      AND NOT EXISTS (SELECT FROM parked WHERE parked.key = timer.case_id)
    ORDER BY timer.due_at LIMIT $3) AS due
ORDER BY due.due_at LIMIT $3
"""
_TAKE_DUE = """
DELETE FROM timer USING unnest($2::int[], $3::timestamptz[]) AS held (partition, upto)
WHERE timer.case_id = ANY($1::text[]) AND timer.partition = held.partition AND timer.due_at <= held.upto
  AND NOT EXISTS (SELECT FROM parked WHERE parked.key = timer.case_id)
RETURNING timer.case_id, timer.partition, timer.due_at, held.upto
"""
_NEXT = """
SELECT held.partition, next.due_at FROM unnest($1::int[]) AS held (partition)
CROSS JOIN LATERAL (
    SELECT timer.due_at FROM timer WHERE timer.partition = held.partition
      AND NOT EXISTS (SELECT FROM parked WHERE parked.key = timer.case_id)
    ORDER BY timer.due_at LIMIT 1) AS next
"""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A case whose timer is due; everything due at or before `upto` may be decided, nothing later. Instants are domain time."""

    case_id: str
    partition: int
    due_at: datetime
    cutoff: datetime


LockCases = Callable[[Transaction, Sequence[str]], Awaitable[Sequence[str]]]
FireTimers = Callable[[Transaction, Sequence[DueTimer], datetime], Awaitable[None]]


async def arm(tx: Transaction, timers: Mapping[str, tuple[int, datetime | None]]) -> None:
    """Set each case's next due instant, with its partition; None disarms."""
    armed = sorted((case, partition, due) for case, (partition, due) in timers.items() if due is not None)
    gone = sorted(case for case, (_, due) in timers.items() if due is None)
    if armed:
        await tx.execute(_ARM, [a[0] for a in armed], [a[1] for a in armed], [a[2] for a in armed])
        tx.after_commit(tx.database.timers_armed.set)
    if gone:
        await tx.execute(_DISARM, gone)


class TimerLoop:
    """The due loop of one process, for the partitions that it holds."""

    def __init__(
        self, database: Database, clock: Clock, watermark: Watermark, *, lock_cases: LockCases, fire_timers: FireTimers, health: Health
    ) -> None:
        self._database = database
        self._clock = clock
        self._watermark = watermark
        self._lock_cases = lock_cases
        self._fire_timers = fire_timers
        self._health = health

    async def run(self, stop: asyncio.Event, settings: RuntimeSettings) -> None:
        """Fire what is due until `stop`; an outage is raised, the timers are still armed."""
        self._health.watch("timers", 60.0)
        while not stop.is_set():
            self._health.beat("timers")
            seconds = await self._until_next(settings.timer_poll_ms / 1000)
            if seconds > 0 or not await self.run_once():
                await self._sleep(stop, seconds)
            self._health.clear_trouble("timers")
        self._health.unwatch("timers")

    async def run_once(self) -> int:
        """Fire one transaction's worth of due cases; returns how many."""
        held = {p: min(self._watermark.read_until(p), self._clock.now()) for p in self._watermark.owned_partitions()}
        if not held:
            return 0
        numbers, limits = list(held), list(held.values())
        async with self._database.transaction() as tx:
            rows = await tx.fetch(_DUE, numbers, limits, BATCH_CASES)
            if not rows:
                return 0
            # Cases before timers, the order in which a batch locks them too.
            locked = sorted(await self._lock_cases(tx, sorted(row["case_id"] for row in rows)))
            fired = await self._take_and_fire(tx, locked, numbers, limits)
        self._measure(fired)
        return len(fired)

    async def _take_and_fire(
        self, tx: Transaction, cases: Sequence[str], numbers: Sequence[int], limits: Sequence[datetime]
    ) -> list[DueTimer]:
        """Delete the due timers and let the service decide; a case that fails is found by halving and parked, its timer kept."""
        if not cases:
            return []
        try:
            async with tx.savepoint():
                rows = await tx.fetch(_TAKE_DUE, cases, numbers, limits)
                due = sorted((DueTimer(*row) for row in rows), key=lambda d: d.case_id)
                if due:
                    await self._fire_timers(tx, due, self._clock.now())
                return due
        except Exception as error:
            if tx.driver_connection.is_closed() or is_infrastructure(error):
                raise
            if len(cases) == 1:
                await self._park(tx, cases[0], error)
                return []
        half = len(cases) // 2
        first = await self._take_and_fire(tx, cases[:half], numbers, limits)
        return first + await self._take_and_fire(tx, cases[half:], numbers, limits)

    async def _park(self, tx: Transaction, case: str, error: BaseException) -> None:
        number = await tx.fetchval("SELECT nextval(pg_get_serial_sequence('waiting', 'id'))")
        stamp = int(self._clock.real_now().timestamp() * 1000)
        raw = RawRecord(
            topic=TIMER_PSEUDO_TOPIC,
            partition=-1,
            offset=number,
            timestamp_ms=stamp,
            timestamp_type=0,
            key=case,
            raw_key=case.encode(),
            body=None,
            headers=(),
        )
        [letter] = await store.insert_dead_letters(tx, [FailedRecord(raw, redacted_reason(error))])
        await parking.park(tx, case, letter)
        log.error("case is parked: its timer could not be fired", case=case, letter=letter, reason=redacted_reason(error))

    async def _until_next(self, longest: float) -> float:
        """Real seconds to sleep; asks the broker where the watermark alone holds a due timer back."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch(_NEXT, self._watermark.owned_partitions())
        present = self._clock.now()
        waiting = {row["partition"]: row["due_at"] for row in rows if row["due_at"] <= present}
        behind = max((-self._clock.seconds_until(due) for due in waiting.values()), default=0.0)
        metrics.TIMERS_BEHIND.set(behind)
        metrics.WATERMARK_AGE.set(self._watermark_age(waiting))
        if waiting:
            await self._watermark.refresh(waiting)
            return 0.0 if any(self._watermark.has_passed(p, due) for p, due in waiting.items()) else _WATERMARK_POLL_SECONDS
        soonest = min((self._clock.seconds_until(row["due_at"]) for row in rows), default=longest)
        return max(0.0, min(longest, soonest))

    def _watermark_age(self, waiting: Mapping[int, datetime]) -> float:
        uptos = [self._watermark.read_until(p) for p in waiting]
        return max((-self._clock.seconds_until(upto) for upto in uptos if upto.year > 1), default=0.0)

    async def _sleep(self, stop: asyncio.Event, seconds: float) -> None:
        """Sleep, woken by a timer armed in this process or by the stop; under load, when every batch arms some, not at once."""
        if seconds <= 0:
            return
        await sleep_or_stop(stop, min(seconds, _WATERMARK_POLL_SECONDS))
        seconds -= _WATERMARK_POLL_SECONDS
        if seconds <= 0:
            return
        waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._database.timers_armed.wait())]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._database.timers_armed.clear()

    def _measure(self, fired: Sequence[DueTimer]) -> None:
        metrics.TIMERS_FIRED.inc(len(fired))
        present = self._clock.real_now()
        for due in fired:
            late = (present - self._clock.to_real(due.due_at)) / timedelta(seconds=1)
            metrics.TIMER_LATENESS.observe(max(0.0, late))
