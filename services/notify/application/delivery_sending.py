"""Sends due deliveries through a provider and records the results."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from services.notify import metrics
from services.notify.application import delivery_events
from services.notify.domain import retry_policy
from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.retry_policy import RetryPolicy
from services.notify.providers.provider import OutgoingMessage, Provider, SendAccepted, SendFailed
from services.notify.storage import deliveries
from services.notify.storage.deliveries import AttemptResult, DeliveryRow
from shared.contracts.events.messages import NotificationFailed, NotificationSent
from shared.runtime.clock import Clock, jitter, monotonic
from shared.runtime.database.database import Transaction
from shared.runtime.encryption import DecryptionError, EncryptionKeyRing
from shared.runtime.process.failures import redacted_reason

log = structlog.get_logger(__name__)


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
            log.warning("provider failed", channel=self.channel, delivery=message.idempotency_key, reason=redacted_reason(error))
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
