"""Sends due deliveries through a provider and records the results."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.notify import metrics
from services.notify.application import delivery_events, part_receipts
from services.notify.domain import quiet_hours, retry_policy
from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.lanes import LaneLoad
from services.notify.domain.message_templates import template_language
from services.notify.domain.quiet_hours import QuietHours
from services.notify.domain.retry_policy import RetryPolicy
from services.notify.providers.provider import OutgoingMessage, Provider, SendAccepted, SendFailed
from services.notify.storage import carried_news, deliveries, delivery_parts
from services.notify.storage.deliveries import AttemptResult, DeliveryRow
from services.notify.storage.delivery_parts import SentPart
from shared.contracts.events.notifications import NotificationFailed, NotificationSent
from shared.runtime.clock import Clock, jitter, monotonic
from shared.runtime.database.database import Transaction
from shared.runtime.encryption import DecryptionError, EncryptionKeyRing
from shared.runtime.tracing.context import Activity, working_on
from shared.runtime.tracing.spans import AttributeValue, SpanKind, Tracing


class SendDeliveries:
    """Sends the deliveries of one provider's channel; `claim`, `attempt` and `settle` are the steps of a leased work queue."""

    def __init__(
        self,
        provider: Provider,
        key_ring: EncryptionKeyRing,
        clock: Clock,
        policy: RetryPolicy,
        lane_share: int = 10,
        quiet: QuietHours | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing or Tracing("notify")
        self.channel = provider.channel
        self._provider = provider
        self._key_ring = key_ring
        self._clock = clock
        self._policy = policy
        self._lanes = LaneLoad(lane_share)
        self._quiet_hours = quiet

    async def claim(self, tx: Transaction, limit: int, now: datetime, until: datetime) -> Sequence[DeliveryRow]:
        """Lease due deliveries until the instant `until` (real time); in quiet hours only those that are exempt.

        A delivery that was due in the evening may be claimed in the night, for example after an outage.
        """
        permitted_at = self._permitted_at(now)
        if permitted_at > now:
            await deliveries.defer_deliveries(tx, self.channel, now, permitted_at)
        return await deliveries.claim_deliveries(tx, self.channel, limit, now, until, self._lanes.running, self._lanes.share)

    async def attempt(self, row: DeliveryRow) -> SendAccepted | SendFailed:
        """Send one delivery, outside any transaction; the channel's pool turns every fault of a provider into a `SendFailed`."""
        try:
            address = str(self._key_ring.decrypt(row.address, row.case_id)["to"])
        except DecryptionError:
            return SendFailed(FailureReason.SEALED, permanent=True)
        started = monotonic()
        message = OutgoingMessage(
            str(row.id),
            address,
            row.subject,
            row.text,
            case="" if row.is_digest else row.case_id,  # an answer to several cases belongs to none of them
            language=template_language(row.template),
            provider=row.provider,
            attempt=row.attempts,
        )
        with self._lanes.occupy(row.lane):
            result = await self._send_traced(row, message)
        metrics.PROVIDER_SECONDS.labels(self.channel).observe(monotonic() - started)
        metrics.ATTEMPTS.labels(self.channel, "accepted" if isinstance(result, SendAccepted) else str(result.reason)).inc()
        return result

    async def settle(self, tx: Transaction, attempts: Sequence[tuple[DeliveryRow, SendAccepted | SendFailed]]) -> None:
        """Store the results of attempts whose lease is still held, and publish the outcome of those that are settled."""
        results = {row.id: self._attempt_result(row, outcome) for row, outcome in attempts}
        stored = await deliveries.settle_deliveries(tx, list(results.values()))
        settled = [
            replace(row, status=result.status, reason=result.reason, provider=result.provider, parts=result.parts)
            for row, _ in attempts
            if row.id in stored and (result := results[row.id]).status != "pending"
        ]
        await delivery_events.publish_outcomes(
            tx, [(row, NotificationSent if row.status == "sent" else NotificationFailed) for row in settled], self._clock.now()
        )
        carriers = [(row.id, row.status, row.reason) for row in settled if stored[row.id]]
        await carried_news.add_news(tx, carriers, self._clock.now())
        await self._store_parts(tx, settled, {row.id: outcome for row, outcome in attempts})
        tx.after_commit(lambda: self._count_settled(settled))

    async def close(self) -> None:
        """Close the provider's connections."""
        await self._provider.close()

    async def _store_parts(
        self, tx: Transaction, settled: Sequence[DeliveryRow], outcomes: Mapping[UUID, SendAccepted | SendFailed]
    ) -> None:
        """Store the provider's ids of the parts, and apply the receipts that came before them."""
        sent = [(row, outcome) for row in settled if isinstance(outcome := outcomes[row.id], SendAccepted)]
        parts = [SentPart(row.provider, reference, row.id) for row, outcome in sent for reference in outcome.parts]
        reported = await delivery_parts.add_sent_parts(tx, parts)
        for delivery_id in sorted(reported):
            await part_receipts.apply_part_receipts(tx, delivery_id, self._clock)

    async def _send_traced(self, row: DeliveryRow, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """Send the message within a span; the provider gets no traceparent: a peer outside has no use for it."""
        case = "" if row.is_digest else row.case_id  # that of a digest names its recipient
        attributes: dict[str, AttributeValue] = {
            "jiesu.case": case,
            "jiesu.delivery": str(row.id),
            "jiesu.channel": self.channel,
            "jiesu.attempt": row.attempts,
        }
        span = self._tracing.start(f"send {self.channel}", SpanKind.CLIENT, row.traceparent, attributes)
        with working_on(Activity(span.traceparent if span else row.traceparent, case, str(row.id))):
            result = await self._provider.send(message)
        if span is not None:
            span.set("jiesu.provider", result.provider)
            failed = "" if isinstance(result, SendAccepted) else str(result.reason)
            span.set("jiesu.outcome", failed or "accepted")
            span.end(failed)
        return result

    def _attempt_result(self, row: DeliveryRow, outcome: SendAccepted | SendFailed) -> AttemptResult:
        now = self._clock.real_now()
        if isinstance(outcome, SendAccepted):
            return AttemptResult(
                row.id, row.fence, "sent", now, reference=outcome.reference, provider=outcome.provider, parts=outcome.billed_parts
            )
        if outcome.postponed:
            return self._postpone(row, outcome, now)
        # Jitter: messages that failed in the same outage must not come back to the provider in the same second.
        delay = jitter(retry_policy.retry_delay(self._policy, row.attempts, outcome.retry_after))
        due_at = None
        if not outcome.permanent:
            due_at = self._next_attempt_at(row, row.attempts, now, delay)
        # Once in doubt, a message stays with that provider: a later refusal does not exclude that the first attempt arrived.
        provider = outcome.provider if outcome.in_doubt or (not row.provider and due_at is None) else row.provider
        status = "pending" if due_at else "failed"
        return AttemptResult(row.id, row.fence, status, due_at or now, reason=outcome.describe(), provider=provider)

    def _postpone(self, row: DeliveryRow, outcome: SendFailed, now: datetime) -> AttemptResult:
        """The result for a message that the provider's rate limit delayed; only the time limit ends it, not the number of attempts."""
        due_at = self._next_attempt_at(row, 0, now, jitter(outcome.retry_after or 1.0))
        status = "pending" if due_at else "failed"
        return AttemptResult(
            row.id, row.fence, status, due_at or now, reason=outcome.describe(), provider=row.provider, postponed=due_at is not None
        )

    def _next_attempt_at(self, row: DeliveryRow, attempts: int, now: datetime, delay: float) -> datetime | None:
        """The instant of the next attempt, outside the quiet hours unless the row is exempt; None when the message has finally failed.

        The wait for the end of the quiet hours is not held against the time limit of the retry policy.
        """
        due_at = retry_policy.next_attempt_at(self._policy, attempts, row.first_due_at or now, now, delay)
        return due_at if due_at is None or row.any_hour else self._permitted_at(due_at)

    def _permitted_at(self, instant: datetime) -> datetime:
        """The first instant (real time) at or after `instant` that is outside the channel's quiet hours, which are domain time."""
        domain_instant = self._clock.to_domain(instant)
        permitted = quiet_hours.earliest_send_at(domain_instant, self._quiet_hours, self.channel, urgent=False)
        return instant if permitted == domain_instant else self._clock.to_real(permitted)

    def _count_settled(self, rows: Sequence[DeliveryRow]) -> None:
        for row in rows:
            if row.status == "sent":
                metrics.SENT.labels(self.channel).inc()
                metrics.PARTS.labels(row.provider).inc(row.parts)
            else:
                metrics.count_failed(self.channel, row.reason)
