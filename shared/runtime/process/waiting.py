"""Waits that end when the process stops: a fixed time, a backoff between attempts, or until something falls due earlier."""

import asyncio
from datetime import UTC, datetime

from shared.runtime.clock import jitter, monotonic

# Without a bound, 2.0**failures raises OverflowError in a long outage.
_MAX_DOUBLINGS = 20
# Processes of one machine, which have the same monotonic clock, do not wake in the same instant.
_PHASE_SECONDS = jitter(2.0)
_ALWAYS, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Backoff:
    """Doubles the wait with every failure, from `initial_seconds` up to `max_seconds`, less a random share of up to a half."""

    def __init__(self, initial_seconds: float, max_seconds: float) -> None:
        self.failures = 0
        self._initial_seconds = initial_seconds
        self._max_seconds = max_seconds

    def next_wait(self) -> float:
        """Count a failure; returns the seconds to wait before the next attempt."""
        doublings = min(self.failures, _MAX_DOUBLINGS)
        self.failures += 1
        return jitter(min(self._max_seconds, self._initial_seconds * 2.0**doublings))

    async def wait(self, stop: asyncio.Event) -> None:
        """Count a failure and wait, or until `stop` is set."""
        await sleep_or_stop(stop, self.next_wait())

    def reset(self) -> None:
        """Begin again with the shortest wait."""
        self.failures = 0


class DueSignal:
    """Ends the wait for a due instant when something is due before it.

    `clear` before the instants are read, `wait` after: what is noted in between is not lost.
    """

    def __init__(self) -> None:
        self._earliest = _NEVER
        self._waits_until = _NEVER
        self._event = asyncio.Event()

    def clear(self) -> None:
        """Forget what has been noted."""
        self._earliest = _NEVER

    def note(self, due_at: datetime) -> None:
        """Something is due at this instant."""
        self._earliest = min(self._earliest, due_at)
        if self._earliest < self._waits_until:
            self._event.set()

    def set(self) -> None:
        """Something may be due at once."""
        self.note(_ALWAYS)

    async def wait(self, seconds: float, until: datetime, stop: asyncio.Event) -> None:
        """Wait until something due before `until` is noted or `stop` is set, at most `seconds`."""
        self._waits_until = until
        self._event.clear()
        if self._earliest >= until:
            await wait_for_any(seconds, self._event, stop)


async def sleep_or_stop(stop: asyncio.Event, seconds: float) -> None:
    """Sleep `seconds`, or until `stop` is set."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def sleep_to_tick(stop: asyncio.Event, period: float) -> float:
    """Sleep until the next multiple of `period`, or until `stop` is set; returns that instant of `monotonic`.

    Loops of a process whose periods are multiples of each other wake it at the same instants, and so less often.
    """
    now = monotonic()
    ticks_at = next_tick(now, period)
    await sleep_or_stop(stop, ticks_at - now)
    return ticks_at


def next_tick(now: float, period: float) -> float:
    """The first instant after `now` that is a multiple of `period`, from the phase of this process on."""
    return now + period - (now - _PHASE_SECONDS) % period


async def wait_for_any(seconds: float, *events: asyncio.Event) -> None:
    """Wait until one of the events is set, at most `seconds`."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
