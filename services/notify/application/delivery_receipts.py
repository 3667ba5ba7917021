"""Records delivery receipts of gateways."""

from uuid import UUID

from services.notify import metrics
from services.notify.application import delivery_events
from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.provider import DeliveryReceipt, ReceiptStatus
from services.notify.storage import deliveries
from services.notify.storage.deliveries import DeliveryRow
from shared.contracts.events.messages import NotificationDelivered, NotificationFailed, NotificationSent
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction


class RecordReceipts:
    """What gateways report about accepted messages."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def record(self, receipt: DeliveryReceipt) -> str:
        """`delivered`, `failed`, `undecided`, or `unknown` for a message that is not ours; a repeated receipt changes nothing."""
        try:
            delivery = UUID(receipt.idempotency_key)
        except ValueError:
            return "unknown"
        async with self._database.transaction() as tx:
            row = await deliveries.lock_delivery(tx, delivery)
            if row is None:
                return "unknown"
            if receipt.status is ReceiptStatus.DELIVERED:
                await self._delivered(tx, row)
            elif receipt.status is ReceiptStatus.FAILED:
                await self._failed(tx, row, receipt.code)
        return receipt.status.value

    async def _delivered(self, tx: Transaction, row: DeliveryRow) -> None:
        """A receipt may overtake the record of the sending, and even a failure that we presumed: what arrived has arrived."""
        if row.status == "delivered":
            return
        await deliveries.record_receipt(tx, row.id, "delivered", "")
        sent = [] if row.status == "sent" else [(row, NotificationSent)]
        await delivery_events.publish_outcomes(tx, [*sent, (row, NotificationDelivered)], self._clock.now())
        if sent:
            tx.after_commit(metrics.SENT.labels(metrics.channel_label(row.channel)).inc)
        tx.after_commit(metrics.DELIVERED.labels(metrics.channel_label(row.channel)).inc)

    async def _failed(self, tx: Transaction, row: DeliveryRow, code: str) -> None:
        if row.status not in {"sent", "pending"}:
            return
        why = f"{FailureReason.RECEIPT}: {code}" if code else str(FailureReason.RECEIPT)
        await deliveries.record_receipt(tx, row.id, "failed", why)
        await delivery_events.publish_outcomes(tx, [(row, NotificationFailed)], self._clock.now(), reasons={row.id: why})
        tx.after_commit(lambda: metrics.count_failed(row.channel, why))
