"""Places a message to a person: alone or in a digest, so that a storm of breaches stays readable.

On one channel a person gets at most `after` ordinary messages within `window`; those beyond it join a digest that is due `window` later.
One more message is reserved for an urgent one. Urgent ones beyond that share a message at most `urgent_gap` after the one before.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:jiesu:digest")


@dataclass(frozen=True, slots=True)
class DigestPolicy:
    """The limits of a person on a channel; a `window` of zero switches digests off, an `urgent_gap` of zero those of urgent messages."""

    after: int = 2
    window: timedelta = timedelta(minutes=15)
    urgent_gap: timedelta = timedelta(minutes=1)

    @property
    def is_on(self) -> bool:
        """Whether messages are collected at all."""
        return self.window > timedelta(0)


@dataclass(frozen=True, slots=True)
class OpenDigest:
    """A digest that still takes messages; it is sent at `due_at`."""

    id: UUID
    due_at: datetime


@dataclass(frozen=True, slots=True)
class RecipientPace:
    """The messages to a person on a channel: their instants within the window, oldest first, and the open digests."""

    recent: tuple[datetime, ...] = ()
    ordinary: OpenDigest | None = None
    urgent: OpenDigest | None = None


@dataclass(frozen=True, slots=True)
class MessagePlacement:
    """The placement of a message: alone at `due_at`, or in the `digest` that is due then; `opens` is True for its first message."""

    due_at: datetime
    digest: UUID | None = None
    opens: bool = False


@dataclass(frozen=True, slots=True)
class PacedMessage:
    """A message to place: the id of its delivery, its urgency, and the first instant at which quiet hours permit it."""

    id: UUID
    is_urgent: bool
    earliest_at: datetime


def place(
    message: PacedMessage, pace: RecipientPace, policy: DigestPolicy, now: datetime, permitted_at: Callable[[datetime], datetime]
) -> tuple[MessagePlacement, RecipientPace]:
    """Place one message; `permitted_at` moves an instant out of the quiet hours. Returns the new pace too.

    The caller removes digests from the pace that have been closed: a digest that is due but not yet closed still takes messages, so
    that a late process does not send twice as many.
    """
    pace = replace(pace, recent=tuple(instant for instant in pace.recent if instant > now - policy.window))
    if not policy.is_on:
        return _alone(message.earliest_at, pace)
    if message.is_urgent and message.earliest_at <= now:
        return _place_urgent(message, pace, policy, now)
    if pace.ordinary is not None:
        return MessagePlacement(pace.ordinary.due_at, pace.ordinary.id), pace
    if message.earliest_at > now:
        # The quiet hours make it wait anyway: what has gathered by their end is one message in the morning.
        return _open(message, pace, message.earliest_at, urgent=False)
    if len(pace.recent) < policy.after:
        return _alone(now, pace)
    return _open(message, pace, permitted_at(now + policy.window), urgent=False)


def _place_urgent(
    message: PacedMessage, pace: RecipientPace, policy: DigestPolicy, now: datetime
) -> tuple[MessagePlacement, RecipientPace]:
    if pace.urgent is not None:
        return MessagePlacement(pace.urgent.due_at, pace.urgent.id), pace
    # Instants that lie ahead are those of open digests: they have used up none of the person's attention yet.
    sent = [instant for instant in pace.recent if instant <= now]
    if policy.urgent_gap <= timedelta(0) or len(sent) <= policy.after:
        return _alone(now, pace)
    due_at = sent[-1] + policy.urgent_gap
    if due_at <= now:
        return _alone(now, pace)
    if pace.ordinary is not None and pace.ordinary.due_at <= due_at:
        return MessagePlacement(pace.ordinary.due_at, pace.ordinary.id), pace
    return _open(message, pace, due_at, urgent=True)


def _alone(due_at: datetime, pace: RecipientPace) -> tuple[MessagePlacement, RecipientPace]:
    return MessagePlacement(due_at), _with_instant(pace, due_at)


def _open(message: PacedMessage, pace: RecipientPace, due_at: datetime, *, urgent: bool) -> tuple[MessagePlacement, RecipientPace]:
    # From the delivery's id: a transaction that is repeated after a rollback opens the same digest.
    digest = OpenDigest(uuid5(_NAMESPACE, str(message.id)), due_at)
    pace = _with_instant(pace, due_at)
    pace = replace(pace, urgent=digest) if urgent else replace(pace, ordinary=digest)
    return MessagePlacement(due_at, digest.id, opens=True), pace


def _with_instant(pace: RecipientPace, instant: datetime) -> RecipientPace:
    return replace(pace, recent=tuple(sorted((*pace.recent, instant))))
