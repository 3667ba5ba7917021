"""When to try again, and when to give up."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """Waits double from `first` seconds to `longest`; after `attempts` attempts, or `patience` seconds after the first, it is over."""

    first: float = 5.0
    longest: float = 900.0
    attempts: int = 10
    patience: float = 86_400.0


def delay(policy: Policy, attempts: int, asked: float | None = None) -> float:
    """Seconds before the next attempt after `attempts` failed ones; the provider may have `asked` for more, at most `longest`."""
    doubled = policy.first * 2.0 ** min(attempts - 1, 30)
    return min(policy.longest, max(doubled, asked or 0.0))


def next_attempt(policy: Policy, attempts: int, first_due: datetime, now: datetime, wait: float) -> datetime | None:
    """The real instant of the next attempt, None when the message has finally failed; `wait` is `delay` after jitter."""
    due = now + timedelta(seconds=wait)
    over = attempts >= policy.attempts or due > first_due + timedelta(seconds=policy.patience)
    return None if over else due
