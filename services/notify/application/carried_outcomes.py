"""Publishes the outcome of a message for every request that it carries, in batches."""

import dataclasses

from services.notify import metrics
from services.notify.application import delivery_events
from services.notify.storage import carried_news
from services.notify.storage.carried_news import CarriedNews
from services.notify.storage.deliveries import DeliveryRow
from shared.contracts.events.notifications import NotificationDelivered, NotificationFailed, NotificationOutcome, NotificationSent
from shared.runtime.database.database import Database, Transaction

# One transaction for the 20,000 cases of a storm would lock all of them while it runs, and its outbox rows would hold up the relay.
_BATCH = 500
_OUTCOMES: dict[str, tuple[type[NotificationOutcome], tuple[str, ...]]] = {
    "sent": (NotificationSent, ("pending", "failed")),
    "delivered": (NotificationDelivered, ("sent",)),
    "failed": (NotificationFailed, ("pending", "sent")),
}
"""By the carrier's status: the event, and the statuses of carried requests for which it is not published yet."""


class PublishCarriedOutcomes:
    """Copies the status of a carrier to the requests that it carries, and publishes an event for each of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish_next(self) -> int | None:
        """Publish up to 500 events of one outcome in one transaction; returns how many, None if no outcome waits."""
        async with self._database.transaction() as tx:
            news = await carried_news.next_news(tx)
            return None if news is None else await self._publish(tx, news)

    async def _publish(self, tx: Transaction, news: CarriedNews) -> int:
        event, statuses = _OUTCOMES[news.status]
        carrier = await carried_news.lock_carrier(tx, news.carrier)
        rows = await carried_news.carried_deliveries(tx, news.carrier, statuses, _BATCH) if carrier else []
        if carrier and rows:
            await carried_news.settle_carried(tx, [row.id for row in rows], news.status, news.reason)
            outcomes = [(_as_sent_by(carrier, row, acknowledged=news.acknowledged), event) for row in rows]
            await delivery_events.publish_outcomes(tx, outcomes, news.at, reasons={row.id: news.reason for row in rows})
            if news.status == "sent":
                tx.after_commit(lambda: _count_carried(rows))
        if len(rows) < _BATCH:
            await carried_news.remove_news(tx, news.id)
        return len(rows)


def _as_sent_by(carrier: DeliveryRow, row: DeliveryRow, *, acknowledged: bool) -> DeliveryRow:
    """The request's row with attempts, provider and acknowledgement of the carrier; `parts` stay 0, so that their sum is the charge."""
    return dataclasses.replace(row, attempts=carrier.attempts, provider=carrier.provider, acknowledged=acknowledged)


def _count_carried(rows: list[DeliveryRow]) -> None:
    for row in rows:
        metrics.CARRIED.labels(metrics.channel_label(row.channel), row.merged).inc()
