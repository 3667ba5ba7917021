"""Due cases that could not be locked: each is tried again after a time of its own, so that the cases behind them fire."""

from collections import OrderedDict
from collections.abc import Collection

from shared.runtime.clock import monotonic
from shared.runtime.process import metrics
from shared.runtime.process.waiting import Backoff

_MAX_CASES = 5_000  # bounds the memory and the query's array
_INITIAL_SECONDS = 0.1
_MAX_SECONDS = 30.0


class BlockedCases:
    """A case is locked by a batch for milliseconds, erased for ever: the wait doubles from 0.1 to 30 seconds."""

    def __init__(self) -> None:
        self._cases: OrderedDict[str, tuple[Backoff, float]] = OrderedDict()

    def waiting(self) -> list[str]:
        """The cases that are not tried yet."""
        now = monotonic()
        return [case for case, (_, retry_at) in self._cases.items() if retry_at > now]

    def update(self, *, blocked: Collection[str], locked: Collection[str]) -> None:
        """Take note of one attempt; locked cases start again with the shortest wait."""
        for case in locked:
            self._cases.pop(case, None)
        now = monotonic()
        for case in blocked:
            backoff, _ = self._cases.pop(case, (Backoff(_INITIAL_SECONDS, _MAX_SECONDS), now))
            self._cases[case] = (backoff, now + backoff.next_wait())
        while len(self._cases) > _MAX_CASES:
            self._cases.popitem(last=False)
        metrics.TIMERS_BLOCKED.inc(len(blocked))
