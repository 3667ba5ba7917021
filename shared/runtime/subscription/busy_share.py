"""The share of its recent time that a consumer spent on batches."""

import math
from typing import Final

_WINDOW_SECONDS: Final = 2.0


class BusyShare:
    """Exponentially weighted over two seconds; instants are seconds of a monotonic clock."""

    def __init__(self, now: float) -> None:
        self._since = now
        self.value = 0.0

    def batch_ended(self, now: float) -> None:
        """The time since the last call was spent on a batch."""
        self._weigh(1.0, now)

    def poll_ended(self, now: float) -> None:
        """The time since the last call was spent waiting for records."""
        self._weigh(0.0, now)

    def _weigh(self, busy: float, now: float) -> None:
        self.value += (1.0 - math.exp((self._since - now) / _WINDOW_SECONDS)) * (busy - self.value)
        self._since = now
