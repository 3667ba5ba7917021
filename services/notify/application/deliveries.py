"""Take requests over, send what is due, believe receipts: each decides on what it loaded and records in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orjson
import structlog

from services.notify import metrics
from services.notify.application import delivery_events
from services.notify.domain import retry_policy
from services.notify.domain.delivery_planning import PlannedDelivery, PlanningContext, plan_deliveries
from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.retry_policy import RetryPolicy
from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, Provider, ReceiptStatus, SendAccepted, SendFailed
from services.notify.storage import deliveries
from services.notify.storage.deliveries import AttemptResult, DeliveryRow
from shared.contracts.events.notifications import NotificationDelivered, NotificationFailed, NotificationRequested, NotificationSent
from shared.runtime.clock import Clock, jitter, monotonic
from shared.runtime.database.database import Database, Transaction
from shared.runtime.encryption import DecryptionError, EncryptionKeyRing
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.process.failures import redacted_reason
from shared.runtime.process.scheduling import yield_every

log = structlog.get_logger(__name__)


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


class SendDeliveries:
    """Sends the due deliveries of one provider's channel: `claim`, `work` and `settle` of a lease."""

    def __init__(self, provider: Provider, key_ring: EncryptionKeyRing, clock: Clock, retry_policy: RetryPolicy) -> None:
        self.channel = provider.channel
        self._provider = provider
        self._sealing = key_ring
        self._clock = clock
        self._policy = retry_policy

    async def claim(self, tx: Transaction, limit: int, now: datetime, until: datetime) -> Sequence[DeliveryRow]:
        """Lease due deliveries until an instant of real time."""
        return await deliveries.claim_deliveries(tx, self.channel, limit, now, until)

    async def attempt(self, row: DeliveryRow) -> SendAccepted | SendFailed:
        """One attempt, outside any transaction; never raises for what the peer does."""
        try:
            to = str(self._sealing.decrypt(row.address, row.case_id)["to"])
        except DecryptionError:
            return SendFailed(FailureReason.SEALED, permanent=True)
        started = monotonic()
        result = await self._attempt(OutgoingMessage(str(row.id), to, row.subject, row.text))
        metrics.PROVIDER_SECONDS.labels(self.channel).observe(monotonic() - started)
        metrics.ATTEMPTS.labels(self.channel, "accepted" if isinstance(result, SendAccepted) else str(result.reason)).inc()
        return result

    async def _attempt(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        try:
            return await self._provider.send(message)
        except Exception as error:  # noqa: BLE001 - a provider's own fault costs its message an attempt, never its neighbours theirs
            log.warning("provider failed", channel=self.channel, delivery=message.key, reason=redacted_reason(error))
            return SendFailed(FailureReason.GARBAGE, permanent=False)

    async def close(self) -> None:
        """Give the provider's connections back."""
        await self._provider.close()

    async def settle(self, tx: Transaction, done: Sequence[tuple[DeliveryRow, SendAccepted | SendFailed]]) -> None:
        """Record what became of the attempts, and announce those that are over and still ours."""
        settlements = {row.id: self._attempt_result(row, result) for row, result in done}
        ours = await deliveries.settle_deliveries(tx, list(settlements.values()))
        over = [(row, settlements[row.id]) for row, _ in done if row.id in ours and settlements[row.id].status != "pending"]
        await delivery_events.publish_outcomes(
            tx,
            [(row, NotificationSent if s.status == "sent" else NotificationFailed) for row, s in over],
            self._clock.now(),
            reasons={s.id: s.reason for _, s in over},
        )
        tx.after_commit(lambda: self._measure([s for _, s in over]))

    def _attempt_result(self, row: DeliveryRow, result: SendAccepted | SendFailed) -> AttemptResult:
        now = self._clock.real_now()
        if isinstance(result, SendAccepted):
            return AttemptResult(row.id, row.fence, "sent", now, reference=result.reference)
        wait = jitter(retry_policy.retry_delay(self._policy, row.attempts, result.retry_after))
        due = None if result.permanent else retry_policy.next_attempt_at(self._policy, row.attempts, row.first_due_at or now, now, wait)
        return AttemptResult(row.id, row.fence, "pending" if due else "failed", due or now, reason=result.describe())

    def _measure(self, over: Sequence[AttemptResult]) -> None:
        for settlement in over:
            if settlement.status == "sent":
                metrics.SENT.labels(self.channel).inc()
            else:
                metrics.count_failed(self.channel, settlement.reason)


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
