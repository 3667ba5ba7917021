"""The loops beside the Kafka edge: sending, measuring the backlog, forgetting what is old."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from services.notify import metrics
from services.notify.application.deliveries import SendDeliveries
from services.notify.config import NotifySettings
from services.notify.storage import deliveries
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.process.supervision import BackgroundLoop
from shared.runtime.process.waiting import sleep_or_stop
from shared.runtime.service import Service
from shared.runtime.timers.work_queue import LeasedWorkQueue

_MEASURE_SECONDS = 5.0
_PRUNE_EVERY = 720
"""Measurements between two prunings: an hour."""


def register(service: Service, senders: Sequence[SendDeliveries], settings: NotifySettings) -> list[asyncio.Event]:
    """Drive each provider's channel by a loop of its own, so that a slow one holds up no other; returns the events that wake them."""
    wakes = []
    for dispatch in senders:
        leases = LeasedWorkQueue(
            service.database,
            service.clock,
            claim=dispatch.claim,
            work=dispatch.attempt,
            settle=dispatch.settle,
            lease_duration=timedelta(seconds=settings.delivery_lease),
            concurrency=settings.delivery_concurrency,
            poll_seconds=settings.delivery_poll,
        )
        service.add_background_loop(f"deliveries-{dispatch.channel}", _close_after(dispatch, leases.run))
        wakes.append(leases.work_added)
    upkeep = DeliveryMaintenance(service.database, service.clock, timedelta(days=settings.delivery_retention_days))
    service.add_background_loop("upkeep", upkeep.run)
    return wakes


def _close_after(sender: SendDeliveries, loop: BackgroundLoop) -> BackgroundLoop:
    """The loop, and at its orderly end the provider closed; a loop that failed starts again with the provider as it is."""

    async def run(stop: asyncio.Event) -> None:
        await loop(stop)
        await sender.close()

    return run


class DeliveryMaintenance:
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
            await sleep_or_stop(stop, _MEASURE_SECONDS)

    async def measure(self) -> None:
        """Set the gauges of what is due and not taken."""
        now = self._clock.real_now()
        async with self._database.transaction() as tx:
            due = await deliveries.delivery_backlog(tx, now)
        for channel in metrics.CHANNELS:
            count, oldest = due.get(channel, (0, now))
            metrics.DUE.labels(channel).set(count)
            metrics.DUE_AGE.labels(channel).set((now - oldest).total_seconds())

    async def prune(self) -> None:
        """Forget what was settled long ago, a thousand a transaction."""
        while True:
            async with self._database.transaction() as tx:
                gone = await deliveries.prune_deliveries(tx, self._clock.real_now() - self._keep)
            if gone == 0:
                return
