"""When to try again, and when to give up."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Waits double from `first` seconds to `longest`; after `attempts` attempts, or `patience` seconds after the first, it is over."""

    first_delay: float = 5.0
    max_delay: float = 900.0
    max_attempts: int = 10
    give_up_after: float = 86_400.0


def retry_delay(policy: RetryPolicy, attempts: int, requested_delay: float | None = None) -> float:
    """Seconds before the next attempt after `attempts` failed ones; the provider may have `asked` for more, at most `longest`."""
    doubled = policy.first_delay * 2.0 ** min(attempts - 1, 30)
    return min(policy.max_delay, max(doubled, requested_delay or 0.0))


def next_attempt_at(policy: RetryPolicy, attempts: int, first_due_at: datetime, now: datetime, delay_seconds: float) -> datetime | None:
    """The real instant of the next attempt, None when the message has finally failed; `wait` is `delay` after jitter."""
    due = now + timedelta(seconds=delay_seconds)
    over = attempts >= policy.max_attempts or due > first_due_at + timedelta(seconds=policy.give_up_after)
    return None if over else due
