"""Applies receipts to a delivery: by the message, and by the parts of which it consists."""

from uuid import UUID

from services.notify import metrics
from services.notify.application import delivery_events
from services.notify.domain.failure_reason import FailureReason
from services.notify.storage import carried_news, deliveries, delivery_parts
from services.notify.storage.deliveries import DeliveryRow
from shared.contracts.events.notifications import NotificationDelivered, NotificationFailed, NotificationSent
from shared.runtime.clock import Clock
from shared.runtime.database.database import Transaction


async def apply_part_receipts(tx: Transaction, delivery_id: UUID, clock: Clock) -> None:
    """Record the delivery as delivered when every part is, as failed when one part is."""
    row = await deliveries.lock_delivery(tx, delivery_id)
    statuses = await delivery_parts.part_statuses(tx, delivery_id)
    if row is None or not statuses:
        return
    failed = [code for status, code in statuses if status == "failed"]
    if failed:
        await record_failed(tx, row, failed[0], clock)
    elif all(status == "delivered" for status, _ in statuses):
        await record_delivered(tx, row, clock)


async def record_delivered(tx: Transaction, row: DeliveryRow, clock: Clock) -> None:
    """Record an arrival, also of a message that is still pending or counted as failed: its receipt may come first."""
    if row.status == "delivered":
        return
    await deliveries.record_receipt(tx, row.id, "delivered", "", row.provider)
    sent = [] if row.status == "sent" else [(row, NotificationSent)]
    await delivery_events.publish_outcomes(tx, [*sent, (row, NotificationDelivered)], clock.now())
    if row.carries:
        outcomes = [*((row.id, "sent", "") for _ in sent), (row.id, "delivered", "")]
        await carried_news.add_news(tx, outcomes, clock.now(), acknowledged=row.acknowledged)
    channel = metrics.channel_label(row.channel)
    if sent:
        tx.after_commit(metrics.SENT.labels(channel).inc)
    tx.after_commit(metrics.DELIVERED.labels(channel).inc)


async def record_failed(tx: Transaction, row: DeliveryRow, code: str, clock: Clock) -> None:
    """Record that the message did not arrive; `code` is the gateway's."""
    # Receipts come twice, early or late: what was delivered stays delivered, and one failure is enough.
    if row.status not in {"sent", "pending"}:
        return
    reason = f"{FailureReason.RECEIPT}: {code}" if code else str(FailureReason.RECEIPT)
    await deliveries.record_receipt(tx, row.id, "failed", reason, row.provider)
    await delivery_events.publish_outcomes(tx, [(row, NotificationFailed)], clock.now(), reasons={row.id: reason})
    if row.carries:
        await carried_news.add_news(tx, [(row.id, "failed", reason)], clock.now())
    tx.after_commit(lambda: metrics.count_failed(row.channel, reason))
