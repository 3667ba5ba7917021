"""Heartbeats: the state of every process of the platform, sent every few seconds on a topic of its own."""

from shared.contracts.base import Identifier, Instant, ShortText, WireModel

STOPPED = "stopped"
"""The state of the last heartbeat of a process that ends in order: its silence means nothing."""


class StartReport(WireModel):
    """The backlog of a process at its start, and the instant at which it was worked off.

    `away_since` is the last sign of life of the service before this start; None where it ran, or had never run. Missed are records that
    were sent before the start and read after it (known once all is caught up), timers that were due, and messages that had not been
    sent. `oldest_timer_due` is a real instant.
    """

    away_since: Instant | None = None
    missed_records: int = 0
    missed_timers: int = 0
    unsent_messages: int = 0
    oldest_timer_due: Instant | None = None
    caught_up_at: Instant | None = None

    @property
    def late_seconds(self) -> float:
        """Seconds by which the oldest missed timer fired late, at most; 0 while it has not fired, and where none was missed."""
        if self.oldest_timer_due is None or self.caught_up_at is None:
            return 0.0
        return max(0.0, (self.caught_up_at - self.oldest_timer_due).total_seconds())


class Heartbeat(WireModel):
    """One process of a service: `process` is host and port, `interval_seconds` when the next one is due.

    `state` is `starting`, `ready`, `degraded`, `not_ready` or `stopped`, more may follow; `reasons` are the components of /ready,
    `stalled` the loops of /live.
    """

    service: Identifier
    process: Identifier
    started_at: Instant
    sent_at: Instant
    interval_seconds: float
    state: ShortText
    reasons: tuple[ShortText, ...] = ()
    stalled: tuple[ShortText, ...] = ()
    start: StartReport | None = None
