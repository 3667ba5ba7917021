"""Liveness and readiness of our own: what is wrong, and how long ago each loop last turned."""

from shared.runtime.clock import monotonic


class Health:
    """Named troubles make a process unready; a loop whose last beat is older than its limit makes it dead."""

    def __init__(self) -> None:
        self._troubles: dict[str, str] = {}
        self._beats: dict[str, float] = {}
        self._limits: dict[str, float] = {}

    def set_trouble(self, name: str, detail: str) -> None:
        """Something is wrong, in words for an operator; holds no personal data."""
        self._troubles[name] = detail

    def clear_trouble(self, name: str) -> None:
        """It is right again."""
        self._troubles.pop(name, None)

    def watch(self, loop: str, limit: float) -> None:
        """From now on the loop has to beat at least every `limit` seconds."""
        self._limits[loop] = limit
        self.beat(loop)

    def unwatch(self, loop: str) -> None:
        """The loop has ended as it should."""
        self._limits.pop(loop, None)

    def beat(self, loop: str) -> None:
        """The loop turned."""
        self._beats[loop] = monotonic()

    def troubles(self) -> dict[str, str]:
        """What makes the process unready, by name; empty when it is ready."""
        return dict(self._troubles)

    def ages(self) -> dict[str, float]:
        """Seconds since each watched loop last turned."""
        present = monotonic()
        return {loop: present - self._beats[loop] for loop in self._limits}

    def stalled(self) -> dict[str, float]:
        """The watched loops that are older than their limit, with their age in seconds."""
        return {loop: age for loop, age in self.ages().items() if age > self._limits[loop]}
