"""Plans the deliveries of notification requests and stores them."""

from collections.abc import Mapping, Sequence

import orjson

from services.notify import metrics
from services.notify.application import delivery_events
from services.notify.application.digest_joining import JoinDigests, RequestedDelivery
from services.notify.domain.delivery_planning import PlannedDelivery, PlanningContext, plan_deliveries
from services.notify.domain.lanes import delivery_lane
from services.notify.storage import deliveries
from services.notify.storage.deliveries import ORDINARY, URGENT, DeliveryRow
from shared.contracts.events.notifications import NotificationFailed, NotificationRequested
from shared.runtime.clock import Clock
from shared.runtime.database.database import Transaction
from shared.runtime.encryption import DecryptionError, EncryptionKeyRing
from shared.runtime.kafka.record import ReceivedRecord


class PlanDeliveries:
    """Turns requests into deliveries; one that can never be sent fails at once, with an event."""

    def __init__(self, context: PlanningContext, key_ring: EncryptionKeyRing, clock: Clock) -> None:
        self._context = context
        self._key_ring = key_ring
        self._clock = clock
        self._digests = JoinDigests(key_ring, clock, context.quiet_hours)

    async def record(self, tx: Transaction, records: Sequence[ReceivedRecord]) -> bool:
        """Store the deliveries of all requests among the records; returns whether one is due now."""
        requested = {delivery.row.id: delivery for record in records for delivery in self._plan(record)}
        # A stored id belongs to a repeated request, whose message must not be sent twice.
        stored = await deliveries.stored_ids(tx, list(requested)) if requested else set()
        rows = await self._digests.join(tx, [delivery for id_, delivery in requested.items() if id_ not in stored])
        new_ids = await deliveries.insert_deliveries(tx, sorted(rows, key=lambda row: row.id))
        new = [row for row in rows if row.id in new_ids and not row.is_digest]
        failed = [row for row in new if row.status == "failed"]
        await delivery_events.publish_outcomes(tx, [(row, NotificationFailed) for row in failed], self._clock.now())
        tx.after_commit(lambda: _count_requested(new))
        # Real time: retries and leases are not scaled in a demo (ADR 16).
        now = self._clock.real_now()
        return any(row.status == "pending" and row.carrier is None and row.due_at <= now for row in new)

    def _plan(self, record: ReceivedRecord) -> list[RequestedDelivery]:
        request = record.event
        if not isinstance(request, NotificationRequested):
            return []
        contact, unreadable = self._decrypt_contact(request)
        planned = plan_deliveries(request, record.id, self._context, self._clock.now(), contact, unreadable)
        because = orjson.dumps({name: getattr(request, name) for name in delivery_events.REQUEST_FIELDS}).decode()
        return [RequestedDelivery(delivery, self._to_row(delivery, because, record.traceparent)) for delivery in planned]

    def _decrypt_contact(self, request: NotificationRequested) -> tuple[Mapping[str, object] | None, bool]:
        """The complainant's contact data, and whether there is some that cannot be decrypted."""
        if request.contact is None:
            return None, False
        try:
            return self._key_ring.decrypt(request.contact, request.case), False
        except DecryptionError:
            return None, True

    def _to_row(self, delivery: PlannedDelivery, because: str, traceparent: str | None) -> DeliveryRow:
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
            address=self._key_ring.encrypt({"to": delivery.address}, delivery.case) if delivery.address else "",
            subject=delivery.subject,
            text=delivery.text,
            reason=delivery.reason or "",
            traceparent=traceparent,
            priority=URGENT if delivery.urgent else ORDINARY,
            line=delivery.line,
            thing=delivery.thing,
            any_hour=delivery.any_hour,
            lane=delivery_lane(delivery.channel, delivery.address),
        )


def _count_requested(rows: Sequence[DeliveryRow]) -> None:
    for row in rows:
        metrics.REQUESTED.labels(metrics.channel_label(row.channel)).inc()
        if row.status == "failed":
            metrics.count_failed(row.channel, row.reason)
