"""The breaker stops reading when one fault of ours parks many cases within a minute, as after a bad release."""

from collections import Counter, deque
from collections.abc import Collection

import structlog

from shared.runtime.clock import monotonic
from shared.runtime.process import metrics
from shared.runtime.process.health import Health

_WINDOW_SECONDS = 60.0
log = structlog.get_logger(__name__)


class RepeatedFaultError(Exception):
    """The same fault would park too many cases: roll back, so that they stay as they are until the fault is corrected."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


class Breaker:
    """Opens, until the process restarts, when one fault parks more than `max_cases` cases within a minute; 0 switches it off.

    A fault is an exception type with its place in our code. Bad input (Rejected, undecodable, unverified) is none: anyone may send it,
    so it must not stop what others send.
    """

    def __init__(self, max_cases: int, health: Health) -> None:
        self.is_open = False
        self._max_cases = max_cases
        self._health = health
        self._parked_at: dict[str, deque[float]] = {}

    def check(self, faults: Collection[str]) -> None:
        """Raise RepeatedFaultError if these faults, one for each parked case, would be too many; call before their commit."""
        if self._max_cases == 0:
            return
        # A breaker that counted failed records was stopped by 50 junk records of anyone, and a restart did not help (ADR 2).
        for fault, count in Counter(faults).items():
            if count + self._recent(fault) > self._max_cases:
                raise RepeatedFaultError(fault)

    def record(self, faults: Collection[str]) -> None:
        """Count faults whose cases have been parked and committed."""
        now = monotonic()
        for fault in faults:
            self._parked_at.setdefault(fault, deque()).append(now)

    def open(self, fault: str) -> None:
        """Stop reading and firing; `fault` is what parked the cases."""
        self.is_open = True
        metrics.BREAKER_OPEN.set(1)
        self._health.set_trouble("breaker", f"reading stopped: {fault} would park more than {self._max_cases} cases; see the runbook")
        log.error("reading stopped: the same fault parks too many cases", fault=fault, limit=self._max_cases)

    def _recent(self, fault: str) -> int:
        instants = self._parked_at.get(fault)
        if instants is None:
            return 0
        oldest = monotonic() - _WINDOW_SECONDS
        while instants and instants[0] < oldest:
            instants.popleft()
        if not instants:
            del self._parked_at[fault]
        return len(instants)
