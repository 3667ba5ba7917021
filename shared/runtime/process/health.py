"""Liveness and readiness of a process; FastStream's ping stays green with a dead consumer."""

from shared.runtime.clock import monotonic


class Health:
    """A process is ready while it has no trouble, and alive while every watched loop has beaten within its limit."""

    def __init__(self) -> None:
        self._troubles: dict[str, str] = {}
        self._beats: dict[str, float] = {}
        self._limits: dict[str, float] = {}

    def set_trouble(self, name: str, detail: str) -> None:
        """Report a trouble to operators; `detail` holds no personal data."""
        self._troubles[name] = detail

    def clear_trouble(self, name: str) -> None:
        """Withdraw a trouble."""
        self._troubles.pop(name, None)

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
        """The troubles by name; empty when the process is ready."""
        return dict(self._troubles)

    def ages(self) -> dict[str, float]:
        """Seconds since the last beat of each watched loop."""
        now = monotonic()
        return {loop: now - self._beats[loop] for loop in self._limits}

    def stalled(self) -> dict[str, float]:
        """The watched loops whose last beat is older than their limit, with its age in seconds."""
        return {loop: age for loop, age in self.ages().items() if age > self._limits[loop]}
