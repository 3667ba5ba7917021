"""How often somebody may ask: buckets that fill at a rate, one a key, in this process."""

from collections import OrderedDict
from dataclasses import dataclass

from shared.runtime.clock import monotonic

_MOST_KEYS = 10_000


@dataclass(slots=True)
class TokenBucket:
    """`rate` a second, `burst` at once; instants are seconds of a clock that never runs backwards.

    Who takes many at once may go below zero and pays that off before the next.
    """

    rate: float
    burst: float
    tokens: float
    updated_at: float

    @classmethod
    def full(cls, rate: float, now: float) -> "TokenBucket":
        """A bucket that nobody has drawn from: two seconds' worth, at least one."""
        burst = max(1.0, 2 * rate)
        return cls(rate, burst, burst, now)

    def seconds_until_available(self, now: float) -> float:
        """Seconds until something may be taken; 0 now."""
        self.tokens = min(self.burst, self.tokens + max(0.0, now - self.updated_at) * self.rate)
        self.updated_at = max(now, self.updated_at)
        return 0.0 if self.tokens >= 1 else (1 - self.tokens) / self.rate

    def consume(self, count: int) -> None:
        """Take so many; what is missing is owed."""
        self.tokens -= count


class RateLimit:
    """A bucket for each key; keys unused for longest are forgotten."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def try_acquire(self, key: str, per_second: float) -> bool:
        """Whether something may pass now; if so, it is taken."""
        now = monotonic()
        bucket = self._buckets[key] if key in self._buckets else TokenBucket.full(per_second, now)
        self._buckets[key] = bucket
        self._buckets.move_to_end(key)
        if len(self._buckets) > _MOST_KEYS:
            self._buckets.popitem(last=False)
        if bucket.seconds_until_available(now) > 0:
            return False
        bucket.consume(1)
        return True
