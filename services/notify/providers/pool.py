"""The providers of one channel as one provider: shares by weight, failover, rates and breakers."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import structlog

from services.notify import metrics
from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.sms.parts import count_parts
from services.notify.providers.provider import OutgoingMessage, Provider, SendAccepted, SendFailed
from services.notify.providers.provider_breaker import ProviderBreaker
from services.notify.providers.provider_choice import preference_order
from services.notify.providers.providers_file import ProviderEntry
from shared.runtime.clock import monotonic
from shared.runtime.http.rate_limit import TokenBucket
from shared.runtime.process.failures import redacted_reason

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RatedProvider:
    """A provider with its limits, in one process."""

    entry: ProviderEntry
    provider: Provider
    breaker: ProviderBreaker
    bucket: TokenBucket | None
    slots: asyncio.Semaphore | None

    @classmethod
    def of(cls, entry: ProviderEntry, provider: Provider) -> "RatedProvider":
        """The provider with the limits of its entry."""
        return cls(
            entry,
            provider,
            ProviderBreaker(entry.breaker.failures, entry.breaker.pause),
            TokenBucket.full(entry.rate, monotonic()) if entry.rate else None,
            asyncio.Semaphore(entry.concurrency) if entry.concurrency else None,
        )

    def wait_seconds(self) -> float:
        """Seconds until the rate admits a message."""
        return self.bucket.seconds_until_available(monotonic()) if self.bucket else 0.0

    @property
    def longest_attempt(self) -> float:
        """Seconds that a message can take here: the waits for a place and for the rate, and the attempt."""
        waits = (self.slots is not None) + (self.bucket is not None)
        return self.entry.timeout * (1 + waits)

    @property
    def is_full(self) -> bool:
        """Whether every slot is taken."""
        return self.slots is not None and self.slots.locked()


class ChannelPool:
    """Implements `Provider` for a channel; at least one member."""

    def __init__(self, members: Iterable[RatedProvider]) -> None:
        self._members = {member.entry.id: member for member in members}
        self.channel = next(iter(self._members.values())).entry.channel

    @property
    def providers(self) -> dict[str, Provider]:
        """The providers by their ids."""
        return {provider_id: member.provider for provider_id, member in self._members.items()}

    @property
    def longest_attempt(self) -> float:
        """Seconds that an attempt can take if every provider fails at its time limit: the lease has to be longer."""
        longest = [member.longest_attempt for member in self._members.values()]
        # A robot's message goes to that robot alone, of which a file may have many.
        return max(longest) if self.channel == "chat" else sum(longest)

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """Send through the first provider that accepts the message, in the order of `preference_order`.

        After a temporary refusal the next one is tried. A permanent refusal ends the attempt, and so does a result in doubt, unless the
        entry has `pass_on_doubt`: a second provider could send the message twice.
        """
        candidates = self._candidates(message)
        if isinstance(candidates, SendFailed):
            return candidates
        failures: list[SendFailed] = []
        # A repeat keeps the key's order: the process of an earlier attempt may have died after the first provider had the message.
        for member in candidates if message.attempt > 1 else _ready_first(candidates):
            if member.breaker.seconds_closed() > 0:
                failures.append(_postponed(member))
                continue
            outcome = await self._send_through(member, message)
            if isinstance(outcome, SendAccepted) or _is_final(outcome) or (outcome.in_doubt and not member.entry.pass_on_doubt):
                return outcome
            failures.append(outcome)
        return _least_final(failures)

    async def close(self) -> None:
        """Close every provider."""
        for member in self._members.values():
            await member.provider.close()

    def _candidates(self, message: OutgoingMessage) -> list[RatedProvider] | SendFailed:
        pinned = self._members.get(message.provider)
        if pinned is not None and not pinned.entry.pass_on_doubt:
            return [pinned]
        serving = [member for member in self._members.values() if member.entry.carries(message.address, message.language)]
        if not serving:
            return SendFailed(FailureReason.NO_PROVIDER, permanent=True)
        parts = count_parts(message.text).parts if self.channel == "sms" else 1
        members = [member for member in serving if not member.entry.max_parts or parts <= member.entry.max_parts]
        if not members:
            return SendFailed(FailureReason.TOO_LONG, permanent=True, code=str(parts))
        order = preference_order(message.idempotency_key, [(member.entry.id, member.entry.weight) for member in members])
        return [self._members[provider_id] for provider_id in order]

    async def _send_through(self, member: RatedProvider, message: OutgoingMessage) -> SendAccepted | SendFailed:
        async with AsyncExitStack() as stack:
            if member.slots is not None:
                try:
                    async with asyncio.timeout(member.entry.timeout):
                        await stack.enter_async_context(member.slots)
                except TimeoutError:
                    return _held_back(member, member.entry.timeout)
            wait = member.wait_seconds()
            if wait > member.entry.timeout:
                return _held_back(member, wait)
            if member.bucket is not None:
                # Consumed before the wait: the messages behind this one wait for their own tokens.
                member.bucket.consume(count_parts(message.text).parts if self.channel == "sms" else 1)
                await asyncio.sleep(wait)
            member.breaker.begin(member.entry.timeout)
            result = await self._attempt(member, message)
        member.breaker.record(result)
        metrics.PROVIDER_OPEN.labels(member.entry.id).set(int(member.breaker.is_open))
        outcome = "accepted" if isinstance(result, SendAccepted) else str(result.reason)
        metrics.PROVIDER_ATTEMPTS.labels(member.entry.id, outcome).inc()
        if isinstance(result, SendAccepted) and self.channel == "sms":
            return replace(result, provider=member.entry.id, billed_parts=result.billed_parts or count_parts(message.text).parts)
        return replace(result, provider=member.entry.id)

    async def _attempt(self, member: RatedProvider, message: OutgoingMessage) -> SendAccepted | SendFailed:
        try:
            return await member.provider.send(message)
        except Exception as error:  # noqa: BLE001 - a bug in a provider costs this message an attempt and must not stop the others
            log.warning("provider failed", provider=member.entry.id, delivery=message.idempotency_key, reason=redacted_reason(error))
            return SendFailed(FailureReason.GARBAGE, permanent=False, in_doubt=True)


def _ready_first(members: Sequence[RatedProvider]) -> list[RatedProvider]:
    """The members in their order, those whose rate or concurrency is used up at the end; a reserve of weight 0 only for failures."""
    return sorted(members, key=lambda member: (member.entry.weight == 0, member.is_full, member.wait_seconds()))


def _is_final(result: SendFailed) -> bool:
    """Whether no other provider is tried; a missing approved template is no final result."""
    return result.permanent and result.reason is not FailureReason.TEMPLATE


def _postponed(member: RatedProvider) -> SendFailed:
    """The result while the breaker is open: no attempt, so it does not count as one."""
    return SendFailed(FailureReason.UNREACHABLE, permanent=False, retry_after=member.breaker.seconds_closed(), postponed=True)


def _held_back(member: RatedProvider, wait: float) -> SendFailed:
    """The result beyond the entry's own limits: no attempt either."""
    return SendFailed(FailureReason.BUSY, permanent=False, retry_after=wait, postponed=True, provider=member.entry.id)


def _least_final(failures: Sequence[SendFailed]) -> SendFailed:
    """The last attempt that can be repeated, else the shortest wait, else the last refusal."""
    attempts = [failure for failure in failures if not failure.permanent and not failure.postponed]
    waiting = [failure for failure in failures if failure.postponed]
    if attempts:
        return attempts[-1]
    return min(waiting, key=lambda failure: failure.retry_after or 0.0) if waiting else failures[-1]
