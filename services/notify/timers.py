"""Loops beside the consumer: sending, pruning of settled deliveries; and the gauges of the backlog."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from services.notify import metrics
from services.notify.application.carried_outcomes import PublishCarriedOutcomes
from services.notify.application.delivery_receipts import RecordReceipts
from services.notify.application.delivery_sending import SendDeliveries
from services.notify.application.digest_closing import CloseDigests
from services.notify.config import NotifySettings
from services.notify.domain.failure_reason import reason_label
from services.notify.providers.provider import DeliveryReceipt, Provider
from services.notify.providers.receipts import ReceiptListener
from services.notify.storage import carried_news, deliveries, delivery_parts, digests, failures
from services.notify.storage.digests import HAS_DUE_DIGESTS
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.looks import IDLE_POLL_SECONDS
from shared.runtime.database.measuring import Measurement
from shared.runtime.process.supervision import BackgroundLoop
from shared.runtime.process.waiting import sleep_or_stop, wait_for_any
from shared.runtime.service import Service
from shared.runtime.timers.work_queue import LeasedWorkQueue

_PRUNE_SECONDS = 3600.0
_MONTH = timedelta(days=30)


def register(service: Service, senders: Sequence[SendDeliveries], settings: NotifySettings) -> list[asyncio.Event]:
    """Add the loops, one for each channel, so that a slow provider does not hold up the others; returns the events that wake them."""
    wakes = []
    for sender in senders:
        queue = LeasedWorkQueue(
            service.database,
            claim=sender.claim,
            work=sender.attempt,
            settle=sender.settle,
            name=f"deliveries-{sender.channel}",
            lease_duration=timedelta(seconds=settings.delivery_lease),
            concurrency=settings.delivery_concurrency,
            poll_seconds=settings.delivery_poll,
            idle_poll_seconds=IDLE_POLL_SECONDS,
        )
        service.looks.wake(queue.work_added, deliveries.due_condition(sender.channel))
        service.add_background_loop(f"deliveries-{sender.channel}", _closing(sender, queue.run))
        wakes.append(queue.work_added)
    maintenance = DeliveryMaintenance(service.database, service.clock, timedelta(days=settings.delivery_retention_days))
    service.add_background_loop("maintenance", maintenance.run)
    gauges = (metrics.DUE, metrics.DUE_AGE, metrics.DIGEST_LATE, metrics.CARRIED_LAG)
    service.add_measurement(Measurement("deliveries", maintenance.measure, gauges))
    service.add_measurement(Measurement("failures", maintenance.measure_failures, (metrics.MONTH_FAILED,)))
    metrics.initialise()
    return wakes


def register_digests(service: Service, digests: CloseDigests, outcomes: PublishCarriedOutcomes, wake: Callable[[], None]) -> None:
    """Add the loops that close digests and publish the outcomes of carried requests; `wake` starts the sending."""
    digest_due, news_waits = asyncio.Event(), asyncio.Event()

    async def close(stop: asyncio.Event) -> None:
        while not stop.is_set():
            if await digests.close_due():
                wake()
            else:
                await wait_for_any(IDLE_POLL_SECONDS, stop, digest_due)
                digest_due.clear()

    async def publish(stop: asyncio.Event) -> None:
        while not stop.is_set():
            if await outcomes.publish_next() is None:
                await wait_for_any(IDLE_POLL_SECONDS, stop, news_waits)
                news_waits.clear()

    service.looks.wake(digest_due, HAS_DUE_DIGESTS)
    service.looks.wake(news_waits, carried_news.HAS_NEWS)
    service.add_background_loop("digests", close)
    service.add_background_loop("carried-outcomes", publish)


def register_listeners(service: Service, receipts: RecordReceipts, providers: Mapping[str, Provider]) -> None:
    """Add a loop for each provider that gets receipts on its own connection."""
    for provider_id, provider in providers.items():
        if isinstance(provider, ReceiptListener):
            service.add_background_loop(f"receipts-{provider_id}", _listening(provider_id, provider, receipts))


def _listening(provider_id: str, listener: ReceiptListener, receipts: RecordReceipts) -> BackgroundLoop:
    async def record(receipt: DeliveryReceipt) -> None:
        metrics.RECEIPTS.labels(await receipts.record(receipt, provider_id)).inc()

    async def run(stop: asyncio.Event) -> None:
        listening = asyncio.ensure_future(listener.listen(record))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait([listening, stopping], return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                listening.result()  # the supervisor starts the loop again
        finally:
            listening.cancel()
            stopping.cancel()
            await asyncio.gather(listening, stopping, return_exceptions=True)

    return run


def _closing(sender: SendDeliveries, loop: BackgroundLoop) -> BackgroundLoop:
    """The loop, closing the provider when it ends; not when it fails, since the supervisor then starts it again."""

    async def run(stop: asyncio.Event) -> None:
        await loop(stop)
        await sender.close()

    return run


class DeliveryMaintenance:
    """Measures the backlog, and prunes settled deliveries every hour."""

    def __init__(self, database: Database, clock: Clock, retention: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._retention = retention

    async def run(self, stop: asyncio.Event) -> None:
        """Prune until `stop` is set."""
        while not stop.is_set():
            await self.prune()
            await sleep_or_stop(stop, _PRUNE_SECONDS)

    async def measure(self, tx: Transaction) -> None:
        """Set the gauges of deliveries that are due and not leased."""
        now = self._clock.real_now()
        backlog = await deliveries.delivery_backlog(tx, now)
        rows = {(channel,): backlog.get(channel, (0, now)) for channel in metrics.CHANNELS}
        metrics.DUE.replace({labels: count for labels, (count, _) in rows.items()})
        metrics.DUE_AGE.replace({labels: (now - oldest).total_seconds() for labels, (_, oldest) in rows.items()})

        late = await digests.oldest_due_digests(tx, now)
        metrics.DIGEST_LATE.replace({(channel,): (now - late.get(channel, now)).total_seconds() for channel in metrics.CHANNELS})
        waiting_since = await carried_news.oldest_news(tx)
        metrics.CARRIED_LAG.set((now - waiting_since).total_seconds() if waiting_since else 0.0)

    async def measure_failures(self, tx: Transaction) -> None:
        """Set the gauge of the messages that failed within a month."""
        failed: Counter[tuple[str, ...]] = Counter()
        for (channel, reason), number in (await failures.count_failed_since(tx, self._clock.real_now() - _MONTH)).items():
            failed[metrics.channel_label(channel), reason_label(reason)] += number
        metrics.MONTH_FAILED.replace(failed)

    async def prune(self) -> None:
        """Delete deliveries settled before the retention time, a thousand in each transaction."""
        before = self._clock.real_now() - self._retention
        for prune in (deliveries.prune_deliveries, delivery_parts.prune_parts):
            deleted = 1
            while deleted:
                async with self._database.transaction() as tx:
                    deleted = await prune(tx, before)
