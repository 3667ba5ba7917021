"""Liveness, readiness and start of a process, with the reasons; FastStream's ping stays green with a dead consumer."""

from dataclasses import dataclass
from datetime import datetime

from shared.runtime.clock import Clock, monotonic

REMEDIES = {
    "starting": "wait; the other reasons name what the start waits for",
    "stopping": "send requests to another process of the service",
    "database": "start PostgreSQL, or correct DATABASE_URL, its user and its password; the process goes on by itself",
    "batches": "wait, the batch is retried; if the reason stays, follow docs/runbooks/service.md",
    "consumer": "start the broker, or correct KAFKA_BOOTSTRAP_SERVERS and the credentials; the process joins its group by itself",
    "broker": "start the broker, or restore the network to it; the process reads on by itself",
    "relay": "start the broker; where a topic is named, run `jiesu topics apply` or grant Write on it (docs/runbooks/outbox.md)",
    "outbox": "follow docs/runbooks/outbox.md",
    "breaker": "deploy a corrected release, then restart the process (docs/runbooks/breaker.md)",
}
"""Component → what an operator does about it."""
LOOP_REMEDY = "wait, the loop is started again; if the reason stays, read the log of the process (docs/runbooks/service.md)"
STALLED_REMEDY = "restart the process (docs/runbooks/service.md)"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a process is not as it should be, since when (a real instant), and what to do; while a blocking one stands it is not ready.

    Not blocking is what leaves requests answered: complaints are taken into the outbox while the broker is away, cases are read.
    """

    component: str
    reason: str
    since: datetime
    remedy: str
    blocking: bool


class Health:
    """A process is ready while no trouble is blocking, and alive while every watched loop has beaten within its limit."""

    def __init__(self) -> None:
        self.started = False
        """Whether the start is over: the database was there, the loops run. It stays so, whatever fails later."""
        self._reasons: dict[str, Reason] = {}
        self._beats: dict[str, float] = {}
        self._limits: dict[str, float] = {}
        self._clock = Clock()

    def set_trouble(self, name: str, detail: str, *, blocking: bool = False) -> None:
        """Report a trouble of a component to operators; `detail` holds no personal data."""
        known = self._reasons.get(name)
        since = self._clock.real_now() if known is None else known.since
        self._reasons[name] = Reason(name, detail, since, REMEDIES.get(name, LOOP_REMEDY), blocking)

    def clear_trouble(self, name: str) -> None:
        """Withdraw a trouble."""
        self._reasons.pop(name, None)

    def watch(self, loop: str, limit: float) -> None:
        """Require a beat of the loop every `limit` seconds."""
        self._limits[loop] = limit
        self.beat(loop)

    def unwatch(self, loop: str) -> None:
        """Require no more beats of the loop."""
        self._limits.pop(loop, None)

    def beat(self, loop: str) -> None:
        """Record an iteration of the loop."""
        self._beats[loop] = monotonic()

    def troubles(self) -> dict[str, str]:
        """The present reasons, by component."""
        return {name: reason.reason for name, reason in self._reasons.items()}

    def reasons(self) -> list[Reason]:
        """The troubles, blocking ones first, then the oldest."""
        return sorted(self._reasons.values(), key=lambda reason: (not reason.blocking, reason.since))

    @property
    def is_ready(self) -> bool:
        """Whether requests can be answered."""
        return self.started and not any(reason.blocking for reason in self._reasons.values())

    @property
    def is_degraded(self) -> bool:
        """Whether a trouble is active that is not blocking."""
        return any(not reason.blocking for reason in self._reasons.values())

    def ages(self) -> dict[str, float]:
        """Seconds since the last beat of each watched loop."""
        now = monotonic()
        return {loop: now - self._beats[loop] for loop in self._limits}

    def stalled(self) -> dict[str, float]:
        """The watched loops whose last beat is older than their limit, with its age in seconds."""
        return {loop: age for loop, age in self.ages().items() if age > self._limits[loop]}
