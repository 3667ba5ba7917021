"""Take requests over, send what is due, believe receipts: each decides on what it loaded and records in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orjson
import structlog

from services.notify import metrics
from services.notify.application import delivery_events
from services.notify.domain import retry_policy
from services.notify.domain.delivery_planning import Delivery, Desk, plan
from services.notify.domain.failure_reason import Reason
from services.notify.domain.retry_policy import Policy
from services.notify.providers.provider import Accepted, Arrival, Outgoing, Provider, Receipt, Refused
from services.notify.storage import deliveries
from services.notify.storage.deliveries import Row, Settlement
from shared.contracts.events.messages import NotificationDelivered, NotificationFailed, NotificationRequested, NotificationSent
from shared.runtime.clock import Clock, jitter, monotonic
from shared.runtime.database.database import Database, Transaction
from shared.runtime.encryption import Sealing, SealingError
from shared.runtime.kafka.record import Received
from shared.runtime.process.failures import reason
from shared.runtime.process.scheduling import in_turns

log = structlog.get_logger(__name__)


class Requests:
    """What was asked for becomes deliveries; those that can never be sent fail at once, visibly."""

    def __init__(self, desk: Desk, sealing: Sealing, clock: Clock) -> None:
        self._desk = desk
        self._sealing = sealing
        self._clock = clock

    async def record(self, tx: Transaction, batch: Sequence[Received]) -> bool:
        """Keep the deliveries of all requests in the batch; says whether any is to be sent at once."""
        rows = {row.id: row async for received in in_turns(batch) for row in self._rows(received)}
        kept = await deliveries.insert(tx, sorted(rows.values(), key=lambda row: row.id))
        fresh = [row for row in rows.values() if row.id in kept]
        failed = [row for row in fresh if row.status == "failed"]
        await delivery_events.publish(tx, [(row, NotificationFailed) for row in failed], self._clock.now())
        tx.after_commit(lambda: _count(fresh))
        present = self._clock.real()
        return any(row.status == "pending" and row.due_at <= present for row in fresh)

    def _rows(self, received: Received) -> list[Row]:
        request = received.event
        if not isinstance(request, NotificationRequested):
            return []
        contact, sealed = self._contact(request)
        planned = plan(request, received.id, self._desk, self._clock.now(), contact, sealed)
        because = orjson.dumps({name: getattr(request, name) for name in delivery_events.BECAUSE}).decode()
        return [self._row(delivery, because, received.traceparent) for delivery in planned]

    def _contact(self, request: NotificationRequested) -> tuple[Mapping[str, object] | None, bool]:
        if request.contact is None:
            return None, False
        try:
            return self._sealing.open(request.contact, request.case), False
        except SealingError:
            return None, True

    def _row(self, delivery: Delivery, because: str, traceparent: str | None) -> Row:
        return Row(
            id=delivery.id,
            case_id=delivery.case,
            notification=delivery.notification,
            recipient=delivery.recipient,
            channel=delivery.channel,
            template=delivery.template,
            because=because,
            status="failed" if delivery.reason else "pending",
            due_at=self._clock.to_real(delivery.due_at),
            address=self._sealing.seal({"to": delivery.address}, delivery.case) if delivery.address else "",
            subject=delivery.subject,
            text=delivery.text,
            reason=delivery.reason or "",
            traceparent=traceparent,
        )


def _count(rows: Sequence[Row]) -> None:
    for row in rows:
        metrics.REQUESTED.labels(metrics.channel(row.channel)).inc()
        if row.status == "failed":
            metrics.failed(row.channel, row.reason)


class Dispatch:
    """Sends the due deliveries of one provider's channel: `claim`, `work` and `settle` of a lease."""

    def __init__(self, provider: Provider, sealing: Sealing, clock: Clock, policy: Policy) -> None:
        self.channel = provider.channel
        self._provider = provider
        self._sealing = sealing
        self._clock = clock
        self._policy = policy

    async def claim(self, tx: Transaction, limit: int, now: datetime, until: datetime) -> Sequence[Row]:
        """Lease due deliveries until an instant of real time."""
        return await deliveries.claim(tx, self.channel, limit, now, until)

    async def work(self, row: Row) -> Accepted | Refused:
        """One attempt, outside any transaction; never raises for what the peer does."""
        try:
            to = str(self._sealing.open(row.address, row.case_id)["to"])
        except SealingError:
            return Refused(Reason.SEALED, permanent=True)
        started = monotonic()
        result = await self._attempt(Outgoing(str(row.id), to, row.subject, row.text))
        metrics.PROVIDER_SECONDS.labels(self.channel).observe(monotonic() - started)
        metrics.ATTEMPTS.labels(self.channel, "accepted" if isinstance(result, Accepted) else str(result.reason)).inc()
        return result

    async def _attempt(self, message: Outgoing) -> Accepted | Refused:
        try:
            return await self._provider.send(message)
        except Exception as error:  # noqa: BLE001 - a provider's own fault costs its message an attempt, never its neighbours theirs
            log.warning("provider failed", channel=self.channel, delivery=message.key, reason=reason(error))
            return Refused(Reason.GARBAGE, permanent=False)

    async def close(self) -> None:
        """Give the provider's connections back."""
        await self._provider.close()

    async def settle(self, tx: Transaction, done: Sequence[tuple[Row, Accepted | Refused]]) -> None:
        """Record what became of the attempts, and announce those that are over and still ours."""
        settlements = {row.id: self._settlement(row, result) for row, result in done}
        ours = await deliveries.settle(tx, list(settlements.values()))
        over = [(row, settlements[row.id]) for row, _ in done if row.id in ours and settlements[row.id].status != "pending"]
        await delivery_events.publish(
            tx,
            [(row, NotificationSent if s.status == "sent" else NotificationFailed) for row, s in over],
            self._clock.now(),
            reasons={s.id: s.reason for _, s in over},
        )
        tx.after_commit(lambda: self._measure([s for _, s in over]))

    def _settlement(self, row: Row, result: Accepted | Refused) -> Settlement:
        now = self._clock.real()
        if isinstance(result, Accepted):
            return Settlement(row.id, row.fence, "sent", now, reference=result.reference)
        wait = jitter(retry_policy.delay(self._policy, row.attempts, result.after))
        due = None if result.permanent else retry_policy.next_attempt(self._policy, row.attempts, row.first_due_at or now, now, wait)
        return Settlement(row.id, row.fence, "pending" if due else "failed", due or now, reason=result.text())

    def _measure(self, over: Sequence[Settlement]) -> None:
        for settlement in over:
            if settlement.status == "sent":
                metrics.SENT.labels(self.channel).inc()
            else:
                metrics.failed(self.channel, settlement.reason)


class Receipts:
    """What gateways report about accepted messages."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def record(self, receipt: Receipt) -> str:
        """`delivered`, `failed`, `undecided`, or `unknown` for a message that is not ours; a repeated receipt changes nothing."""
        try:
            delivery = UUID(receipt.key)
        except ValueError:
            return "unknown"
        async with self._database.transaction() as tx:
            row = await deliveries.locked(tx, delivery)
            if row is None:
                return "unknown"
            if receipt.arrival is Arrival.DELIVERED:
                await self._delivered(tx, row)
            elif receipt.arrival is Arrival.FAILED:
                await self._failed(tx, row, receipt.code)
        return receipt.arrival.value

    async def _delivered(self, tx: Transaction, row: Row) -> None:
        """A receipt may overtake the record of the sending, and even a failure that we presumed: what arrived has arrived."""
        if row.status == "delivered":
            return
        await deliveries.arrived(tx, row.id, "delivered", "")
        sent = [] if row.status == "sent" else [(row, NotificationSent)]
        await delivery_events.publish(tx, [*sent, (row, NotificationDelivered)], self._clock.now())
        if sent:
            tx.after_commit(metrics.SENT.labels(metrics.channel(row.channel)).inc)
        tx.after_commit(metrics.DELIVERED.labels(metrics.channel(row.channel)).inc)

    async def _failed(self, tx: Transaction, row: Row, code: str) -> None:
        if row.status not in {"sent", "pending"}:
            return
        why = f"{Reason.RECEIPT}: {code}" if code else str(Reason.RECEIPT)
        await deliveries.arrived(tx, row.id, "failed", why)
        await delivery_events.publish(tx, [(row, NotificationFailed)], self._clock.now(), reasons={row.id: why})
        tx.after_commit(lambda: metrics.failed(row.channel, why))
