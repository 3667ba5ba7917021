"""The loop that fires timers: it sleeps until the next due instant, waits for the watermark, and fires what is due."""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from shared.runtime.clock import Clock, monotonic
from shared.runtime.database.database import Database
from shared.runtime.dead_letters.breaker import Breaker
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.process import metrics
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.process.waiting import Backoff, sleep_or_stop
from shared.runtime.timers import timers
from shared.runtime.timers.firing import FiredBatch, TimerFiring

_MIN_WAIT_SECONDS = 0.05
_GATHER_SECONDS = 0.1
"""From one look to the next, unless a batch was full: a look at the table and the broker costs as much as many timers."""
_SOLE_OWNER_POLLS = 4


class TimerLoop:
    """Fires the due timers of the partitions that this process owns."""

    def __init__(
        self, database: Database, clock: Clock, watermark: Watermark, firing: TimerFiring, *, health: Health, breaker: Breaker
    ) -> None:
        self._database = database
        self._clock = clock
        self._watermark = watermark
        self._firing = firing
        self._health = health
        self._breaker = breaker

    async def run(self, stop: asyncio.Event, settings: RuntimeSettings) -> None:
        """Fire due timers until `stop`; raises infrastructure errors, after which the timers are still armed."""
        self._health.watch("timers", 60.0)
        poll_seconds = settings.timer_poll_ms / 1000
        idle = Backoff(initial_seconds=_GATHER_SECONDS, max_seconds=max(poll_seconds, _GATHER_SECONDS))
        while not stop.is_set():
            self._health.beat("timers")
            if self._breaker.is_open:
                await sleep_or_stop(stop, poll_seconds)
                continue
            looked_at = monotonic()
            self._database.timers_armed.clear()
            next_due = await self._next_due()
            due = self._due(next_due)
            if not due:
                await self._sleep(stop, next_due.values(), self._poll_seconds(settings))
            elif ready := await self._ready(due):
                batch = await self._fire(ready, stop)
                if not batch.fired:
                    # Every due case is locked or erased: the next attempt would find the same.
                    await sleep_or_stop(stop, idle.next_wait())
                else:
                    idle.reset()
                    pause = 0.0 if batch.is_full else looked_at + _GATHER_SECONDS - monotonic()
                    await sleep_or_stop(stop, max(0.0, pause))
            else:
                await sleep_or_stop(stop, self._seconds_until_readable(due.values()))
            self._health.clear_trouble("timers")
        self._health.unwatch("timers")

    async def _next_due(self) -> dict[int, datetime]:
        async with self._database.autocommit() as tx:
            return await timers.next_due(tx, self._watermark.owned_partitions())

    def _due(self, next_due: Mapping[int, datetime]) -> dict[int, datetime]:
        """The oldest due instants of the partitions that have one, the oldest first."""
        now = self._clock.now()
        due = dict(sorted(((p, due_at) for p, due_at in next_due.items() if due_at <= now), key=lambda each: each[1]))
        metrics.TIMERS_BEHIND.set(max((-self._clock.seconds_until(due_at) for due_at in due.values()), default=0.0))
        metrics.WATERMARK_AGE.set(self._watermark_age(due))
        return due

    async def _ready(self, due: Mapping[int, datetime]) -> list[int]:
        """The partitions that have been read past their oldest due instant; asks the broker about the others."""
        if unread := [p for p, due_at in due.items() if not self._watermark.has_passed(p, due_at)]:
            await self._watermark.refresh(unread)
        return [p for p, due_at in due.items() if self._watermark.has_passed(p, due_at)]

    async def _fire(self, partitions: Sequence[int], stop: asyncio.Event) -> FiredBatch:
        """Fire a batch and, if more is due, a round of batches; returns the last one, or the last ones together."""
        batch = await self._firing.fire_batch(partitions)
        if not self._should_continue(batch, stop):
            return batch
        # One group decides while the statements of the other run. A partition, and so a case, is in one of them only.
        groups = [group for group in (partitions[::2], partitions[1::2]) if group]
        results = await asyncio.gather(*(self._fire_round(group, stop) for group in groups), return_exceptions=True)
        total = FiredBatch()
        for result in results:
            if isinstance(result, BaseException):
                raise result
            total.due = max(total.due, result.due)
            total.fired += result.fired
        return total

    async def _fire_round(self, partitions: Sequence[int], stop: asyncio.Event) -> FiredBatch:
        """Fire batches, each from another partition on, so that none waits for all of another; returns the last batch."""
        order = deque(partitions)
        batch = FiredBatch()
        for _ in range(len(order)):
            self._health.beat("timers")
            batch = await self._firing.fire_batch(order)
            if not self._should_continue(batch, stop):
                break
            order.rotate(-1)
        return batch

    def _should_continue(self, batch: FiredBatch, stop: asyncio.Event) -> bool:
        return batch.is_full and bool(batch.fired) and not stop.is_set() and not self._breaker.is_open

    async def _sleep(self, stop: asyncio.Event, next_due: Collection[datetime], poll_seconds: float) -> None:
        """Sleep until the next due instant can have been read, at most `poll_seconds`, or until an earlier timer is armed."""
        seconds = min(poll_seconds, self._seconds_until_readable(next_due))
        wakes_at = min(next_due, default=None)
        poll_at = self._clock.to_domain(self._clock.real_now() + timedelta(seconds=poll_seconds))
        # Under load, batches that arm timers end the sleep one after the other.
        await sleep_or_stop(stop, min(seconds, _MIN_WAIT_SECONDS))
        if seconds > _MIN_WAIT_SECONDS:
            until = poll_at if wakes_at is None else min(wakes_at, poll_at)
            await self._database.timers_armed.wait(seconds - _MIN_WAIT_SECONDS, until, stop)

    def _poll_seconds(self, settings: RuntimeSettings) -> float:
        """The owner of all partitions polls less: no other process arms timers for it, and what it arms itself ends the sleep."""
        is_sole_owner = len(self._watermark.owned_partitions()) == settings.topic_partitions
        return settings.timer_poll_ms / 1000 * (_SOLE_OWNER_POLLS if is_sole_owner else 1)

    def _seconds_until_readable(self, due_instants: Collection[datetime]) -> float:
        """Real seconds until the broker's answer can show that everything before the first of these instants has been read."""
        first = min((self._clock.seconds_until(due_at) for due_at in due_instants), default=float("inf"))
        return max(_MIN_WAIT_SECONDS, first + self._watermark.tolerance_seconds)

    def _watermark_age(self, partitions: Collection[int]) -> float:
        """The lag of the slowest watermark in real seconds; partitions that were never read do not count."""
        read_until = [self._watermark.read_until(p) for p in partitions]
        return max((-self._clock.seconds_until(instant) for instant in read_until if instant.year > 1), default=0.0)
