"""How fast a source may submit: a bucket that fills at its rate; a whole batch may go below zero and is paid off before the next."""

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """`rate` complaints a second, `burst` at once; instants are seconds of a clock that never runs backwards."""

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
