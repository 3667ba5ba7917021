"""Plans the deliveries of notification requests and stores them."""

from collections.abc import Mapping, Sequence

import orjson

from services.notify import metrics
from services.notify.application import delivery_events
from services.notify.domain.delivery_planning import PlannedDelivery, PlanningContext, plan_deliveries
from services.notify.storage import deliveries
from services.notify.storage.deliveries import DeliveryRow
from shared.contracts.events.messages import NotificationFailed, NotificationRequested
from shared.runtime.clock import Clock
from shared.runtime.database.database import Transaction
from shared.runtime.encryption import DecryptionError, EncryptionKeyRing
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.process.scheduling import yield_every


class PlanDeliveries:
    """What was asked for becomes deliveries; those that can never be sent fail at once, visibly."""

    def __init__(self, context: PlanningContext, key_ring: EncryptionKeyRing, clock: Clock) -> None:
        self._desk = context
        self._sealing = key_ring
        self._clock = clock

    async def record(self, tx: Transaction, batch: Sequence[ReceivedRecord]) -> bool:
        """Keep the deliveries of all requests in the batch; says whether any is to be sent at once."""
        rows = {row.id: row async for received in yield_every(batch) for row in self._rows(received)}
        kept = await deliveries.insert_deliveries(tx, sorted(rows.values(), key=lambda row: row.id))
        fresh = [row for row in rows.values() if row.id in kept]
        failed = [row for row in fresh if row.status == "failed"]
        await delivery_events.publish_outcomes(tx, [(row, NotificationFailed) for row in failed], self._clock.now())
        tx.after_commit(lambda: _count(fresh))
        present = self._clock.real_now()
        return any(row.status == "pending" and row.due_at <= present for row in fresh)

    def _rows(self, received: ReceivedRecord) -> list[DeliveryRow]:
        request = received.event
        if not isinstance(request, NotificationRequested):
            return []
        contact, sealed = self._contact(request)
        planned = plan_deliveries(request, received.id, self._desk, self._clock.now(), contact, sealed)
        because = orjson.dumps({name: getattr(request, name) for name in delivery_events.REQUEST_FIELDS}).decode()
        return [self._row(delivery, because, received.traceparent) for delivery in planned]

    def _contact(self, request: NotificationRequested) -> tuple[Mapping[str, object] | None, bool]:
        if request.contact is None:
            return None, False
        try:
            return self._sealing.decrypt(request.contact, request.case), False
        except DecryptionError:
            return None, True

    def _row(self, delivery: PlannedDelivery, because: str, traceparent: str | None) -> DeliveryRow:
        return DeliveryRow(
            id=delivery.id,
            case_id=delivery.case,
            notification=delivery.notification,
            recipient=delivery.recipient,
            channel=delivery.channel,
            template=delivery.template,
            because=because,
            status="failed" if delivery.reason else "pending",
            due_at=self._clock.to_real(delivery.due_at),
            address=self._sealing.encrypt({"to": delivery.address}, delivery.case) if delivery.address else "",
            subject=delivery.subject,
            text=delivery.text,
            reason=delivery.reason or "",
            traceparent=traceparent,
        )


def _count(rows: Sequence[DeliveryRow]) -> None:
    for row in rows:
        metrics.REQUESTED.labels(metrics.channel_label(row.channel)).inc()
        if row.status == "failed":
            metrics.count_failed(row.channel, row.reason)
