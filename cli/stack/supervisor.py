"""Starts ended processes of a stack again, after a wait that doubles with each end in a row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from deploy.embedded import EmbeddedServerError

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
WELL_AFTER_SECONDS = 60.0
"""A process that ran so long begins again with the shortest wait."""


class Process(Protocol):
    """The supervised state of a process: `how_it_ended` is None while it runs."""

    @property
    def pid(self) -> int:
        """The process id."""

    @property
    def how_it_ended(self) -> str | None:
        """The exit status or signal."""


@dataclass
class Supervised:
    """A process by name; `start_again` starts it and returns the running process."""

    name: str
    process: Process
    start_again: Callable[[], Process]
    restarts: int = 0
    last_end: str = ""
    _ends_in_a_row: int = 0
    _started: float = field(default=0.0)
    _restart_at: float | None = None

    def check(self, now: float, say: Callable[[str], None]) -> bool:
        """Start the process again when its wait is over; whether something changed."""
        if self._restart_at is not None:
            return now >= self._restart_at and self._restart(now, say)
        end = self.process.how_it_ended
        if end is None:
            return False
        if now - self._started > WELL_AFTER_SECONDS:
            self._ends_in_a_row = 0
        self.last_end = end
        self._wait(now, say, f"{self.name} ended ({end})")
        return True

    def _restart(self, now: float, say: Callable[[str], None]) -> bool:
        try:
            self.process = self.start_again()
        except EmbeddedServerError as error:
            self._wait(now, say, f"{self.name} cannot be started again ({error})")
            return True
        self.restarts += 1
        self._started = now
        self._restart_at = None
        say(f"{self.name} was started again (process {self.process.pid})")
        return True

    def _wait(self, now: float, say: Callable[[str], None], what: str) -> None:
        seconds = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0**self._ends_in_a_row)
        # No further than the longest wait: without a bound, 2.0**n raises OverflowError in a long outage.
        self._ends_in_a_row = min(self._ends_in_a_row + 1, 10)
        self._restart_at = now + seconds
        say(f"{what}; it is started again in {seconds:.0f} s")


@dataclass
class Supervisor:
    """Watches processes; `changed` is called after each end and each start."""

    processes: Sequence[Supervised]
    say: Callable[[str], None]
    changed: Callable[[], None] = lambda: None
    clock: Callable[[], float] = monotonic

    def check(self) -> None:
        """Look at every process once."""
        now = self.clock()
        changes = [each.check(now, self.say) for each in self.processes]
        if any(changes):
            self.changed()
