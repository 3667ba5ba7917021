"""Limits calls within a sliding window, as group robots do."""

from collections import deque


class SlidingWindow:
    """At most `limit` calls within `seconds`; instants are seconds of any clock that does not go back."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._calls: deque[float] = deque()

    def seconds_until_free(self, now: float) -> float:
        """Seconds until the next call is within the limit."""
        while self._calls and self._calls[0] <= now - self._seconds:
            self._calls.popleft()
        return self._calls[0] + self._seconds - now if len(self._calls) >= self._limit else 0.0

    def take(self, now: float) -> None:
        """Count a call."""
        self._calls.append(now)
