"""Decides when a failed attempt is repeated, and when a message has finally failed."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff: delays double from `first_delay` to `max_delay` seconds.

    A message has finally failed after `max_attempts` attempts, or `give_up_after` seconds after it was first due.
    """

    first_delay: float = 5.0
    max_delay: float = 900.0
    max_attempts: int = 10
    give_up_after: float = 86_400.0


def retry_delay(policy: RetryPolicy, attempts: int, requested_delay: float | None = None) -> float:
    """Seconds from failed attempt number `attempts` to the next; `requested_delay` is the provider's, and counts if it is longer."""
    backoff = policy.first_delay * 2.0 ** min(attempts - 1, 30)  # without the bound a float overflows after 1,024 attempts
    return min(policy.max_delay, max(backoff, requested_delay or 0.0))


def next_attempt_at(policy: RetryPolicy, attempts: int, first_due_at: datetime, now: datetime, delay_seconds: float) -> datetime | None:
    """The instant of the next attempt in real time, None when the message has finally failed; `delay_seconds` includes jitter."""
    due = now + timedelta(seconds=delay_seconds)
    gives_up = attempts >= policy.max_attempts or due > first_due_at + timedelta(seconds=policy.give_up_after)
    return None if gives_up else due
