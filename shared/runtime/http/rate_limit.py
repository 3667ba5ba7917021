"""Rate limit of one process: a token bucket for each key."""

from collections import OrderedDict
from dataclasses import dataclass

from shared.runtime.clock import monotonic
from shared.runtime.http.problem import TOO_MANY_REQUESTS, FieldFault, HttpProblem, ProblemType

_MAX_KEYS = 10_000  # bounds the memory, whatever the keys are


@dataclass(slots=True)
class TokenBucket:
    """Refills at `rate` tokens a second up to `burst`; instants are seconds of the monotonic clock.

    A batch may consume more tokens than there are: later requests wait until the debt is refilled.
    """

    rate: float
    burst: float
    tokens: float
    updated_at: float

    @classmethod
    def full(cls, rate: float, now: float) -> "TokenBucket":
        """A bucket with the tokens of two seconds, at least one."""
        burst = max(1.0, 2 * rate)
        return cls(rate, burst, burst, now)

    def seconds_until_available(self, now: float) -> float:
        """Seconds until there is a token; 0 if there is one now."""
        self.tokens = min(self.burst, self.tokens + max(0.0, now - self.updated_at) * self.rate)
        self.updated_at = max(now, self.updated_at)
        return 0.0 if self.tokens >= 1 else (1 - self.tokens) / self.rate

    def consume(self, count: int) -> None:
        """Remove `count` tokens, below zero too."""
        self.tokens -= count


class RateLimit:
    """A bucket for each key; beyond 10,000 keys the least recently used one is dropped."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def check(self, key: str, per_second: float, problem_type: ProblemType = TOO_MANY_REQUESTS) -> None:
        """Raise HttpProblem with `Retry-After` while the key has no token; consumes nothing."""
        wait = self._bucket(key, per_second).seconds_until_available(monotonic())
        if wait > 0:
            fault = FieldFault("request", "too_fast", f"wait {wait:.1f} s; at most {per_second:g} a second are accepted")
            raise HttpProblem(problem_type, faults=[fault], headers={"Retry-After": str(int(wait) + 1)})

    def consume(self, key: str, per_second: float, count: int = 1) -> None:
        """Remove `count` tokens of the key."""
        self._bucket(key, per_second).consume(count)

    def _bucket(self, key: str, per_second: float) -> TokenBucket:
        bucket = self._buckets.setdefault(key, TokenBucket.full(per_second, monotonic()))
        self._buckets.move_to_end(key)
        if len(self._buckets) > _MAX_KEYS:
            self._buckets.popitem(last=False)
        return bucket
