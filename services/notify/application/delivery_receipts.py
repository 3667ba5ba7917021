"""Records delivery receipts of gateways."""

from uuid import UUID

from services.notify import metrics
from services.notify.application import delivery_events
from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.provider import DeliveryReceipt, ReceiptStatus
from services.notify.storage import carried_news, deliveries
from services.notify.storage.deliveries import DeliveryRow
from shared.contracts.events.notifications import NotificationDelivered, NotificationFailed, NotificationSent
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction


class RecordReceipts:
    """Stores what a receipt reports about an accepted message, and publishes it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def record(self, receipt: DeliveryReceipt) -> str:
        """Record a receipt; a repeated one changes nothing.

        Returns `delivered`, `failed` or `undecided` as reported, or `unknown` for a message that notify has not sent.
        """
        try:
            delivery_id = UUID(receipt.idempotency_key)
        except ValueError:
            return "unknown"
        async with self._database.transaction() as tx:
            row = await deliveries.lock_delivery(tx, delivery_id)
            if row is None:
                return "unknown"
            if receipt.status is ReceiptStatus.DELIVERED:
                await self._record_delivered(tx, row)
            elif receipt.status is ReceiptStatus.FAILED:
                await self._record_failed(tx, row, receipt.code)
        return receipt.status.value

    async def _record_delivered(self, tx: Transaction, row: DeliveryRow) -> None:
        """Record an arrival, also of a message that is still pending or counted as failed: its receipt may come first."""
        if row.status == "delivered":
            return
        await deliveries.record_receipt(tx, row.id, "delivered", "")
        sent = [] if row.status == "sent" else [(row, NotificationSent)]
        await delivery_events.publish_outcomes(tx, [*sent, (row, NotificationDelivered)], self._clock.now())
        news = [*((row.id, "sent", "") for _ in sent), (row.id, "delivered", "")]
        await carried_news.add_news(tx, news, self._clock.now())
        channel = metrics.channel_label(row.channel)
        if sent:
            tx.after_commit(metrics.SENT.labels(channel).inc)
        tx.after_commit(metrics.DELIVERED.labels(channel).inc)

    async def _record_failed(self, tx: Transaction, row: DeliveryRow, code: str) -> None:
        # Receipts come twice, early or late: what was delivered stays delivered, and one failure is enough.
        if row.status not in {"sent", "pending"}:
            return
        reason = f"{FailureReason.RECEIPT}: {code}" if code else str(FailureReason.RECEIPT)
        await deliveries.record_receipt(tx, row.id, "failed", reason)
        await delivery_events.publish_outcomes(tx, [(row, NotificationFailed)], self._clock.now(), reasons={row.id: reason})
        await carried_news.add_news(tx, [(row.id, "failed", reason)], self._clock.now())
        tx.after_commit(lambda: metrics.count_failed(row.channel, reason))
