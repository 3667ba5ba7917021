"""The loops beside the Kafka edge: sending, measuring the backlog, forgetting what is old."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from services.notify import metrics
from services.notify.application.deliveries import Dispatch
from services.notify.config import NotifySettings
from services.notify.storage import deliveries
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.process.supervision import Loop, pause
from shared.runtime.service import Service
from shared.runtime.timers.work_queue import Leases

_MEASURE_SECONDS = 5.0
_PRUNE_EVERY = 720
"""Measurements between two prunings: an hour."""


def register(service: Service, dispatches: Sequence[Dispatch], settings: NotifySettings) -> list[asyncio.Event]:
    """Drive each provider's channel by a loop of its own, so that a slow one holds up no other; returns the events that wake them."""
    wakes = []
    for dispatch in dispatches:
        leases = Leases(
            service.database,
            service.clock,
            claim=dispatch.claim,
            work=dispatch.work,
            settle=dispatch.settle,
            lease=timedelta(seconds=settings.delivery_lease),
            concurrency=settings.delivery_concurrency,
            poll=settings.delivery_poll,
        )
        service.background(f"deliveries-{dispatch.channel}", _until_closed(dispatch, leases.run))
        wakes.append(leases.due)
    upkeep = Upkeep(service.database, service.clock, timedelta(days=settings.delivery_retention_days))
    service.background("upkeep", upkeep.run)
    return wakes


def _until_closed(dispatch: Dispatch, loop: Loop) -> Loop:
    """The loop, and at its orderly end the provider closed; a loop that failed starts again with the provider as it is."""

    async def run(stop: asyncio.Event) -> None:
        await loop(stop)
        await dispatch.close()

    return run


class Upkeep:
    """Measures the backlog every few seconds and prunes settled deliveries every hour."""

    def __init__(self, database: Database, clock: Clock, keep: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._keep = keep

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        turn = 0
        while not stop.is_set():
            await self.measure()
            if turn % _PRUNE_EVERY == 0:
                await self.prune()
            turn += 1
            await pause(stop, _MEASURE_SECONDS)

    async def measure(self) -> None:
        """Set the gauges of what is due and not taken."""
        now = self._clock.real()
        async with self._database.transaction() as tx:
            due = await deliveries.backlog(tx, now)
        for channel in metrics.CHANNELS:
            count, oldest = due.get(channel, (0, now))
            metrics.DUE.labels(channel).set(count)
            metrics.DUE_AGE.labels(channel).set((now - oldest).total_seconds())

    async def prune(self) -> None:
        """Forget what was settled long ago, a thousand a transaction."""
        while True:
            async with self._database.transaction() as tx:
                gone = await deliveries.prune(tx, self._clock.real() - self._keep)
            if gone == 0:
                return
