"""How often somebody may ask: a token bucket for each key, in this process."""

from collections import OrderedDict
from dataclasses import dataclass

from shared.runtime.clock import monotonic

_MOST_KEYS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """At most `per_second` a key, with bursts of as many as two seconds allow; keys unused for longest are forgotten."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def allows(self, key: str, per_second: float, cost: float = 1.0) -> bool:
        """Whether `cost` more may pass now; if so, it is taken off."""
        now, full = monotonic(), per_second * 2
        bucket = self._buckets.pop(key, None) or _Bucket(full, now)
        bucket.tokens = min(full, bucket.tokens + (now - bucket.at) * per_second)
        bucket.at = now
        self._buckets[key] = bucket
        if len(self._buckets) > _MOST_KEYS:
            self._buckets.popitem(last=False)
        if bucket.tokens < min(cost, full):
            return False
        bucket.tokens -= cost
        return True
