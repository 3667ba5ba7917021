"""How often somebody may ask: buckets that fill at a rate, one a key, in this process."""

from collections import OrderedDict
from dataclasses import dataclass

from shared.runtime.clock import monotonic

_MOST_KEYS = 10_000


@dataclass(slots=True)
class Bucket:
    """`rate` a second, `burst` at once; instants are seconds of a clock that never runs backwards.

    Who takes many at once may go below zero and pays that off before the next.
    """

    rate: float
    burst: float
    level: float
    at: float

    @classmethod
    def full(cls, rate: float, at: float) -> "Bucket":
        """A bucket that nobody has drawn from: two seconds' worth, at least one."""
        burst = max(1.0, 2 * rate)
        return cls(rate, burst, burst, at)

    def wait(self, at: float) -> float:
        """Seconds until something may be taken; 0 now."""
        self.level = min(self.burst, self.level + max(0.0, at - self.at) * self.rate)
        self.at = max(at, self.at)
        return 0.0 if self.level >= 1 else (1 - self.level) / self.rate

    def take(self, count: int) -> None:
        """Take so many; what is missing is owed."""
        self.level -= count


class RateLimit:
    """A bucket for each key; keys unused for longest are forgotten."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def allows(self, key: str, per_second: float) -> bool:
        """Whether something may pass now; if so, it is taken."""
        now = monotonic()
        bucket = self._buckets[key] if key in self._buckets else Bucket.full(per_second, now)
        self._buckets[key] = bucket
        self._buckets.move_to_end(key)
        if len(self._buckets) > _MOST_KEYS:
            self._buckets.popitem(last=False)
        if bucket.wait(now) > 0:
            return False
        bucket.take(1)
        return True
