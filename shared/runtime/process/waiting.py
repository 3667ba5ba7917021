"""Waits that end when the process stops: a fixed time, or a backoff between attempts."""

import asyncio

from shared.runtime.clock import jitter

# Without a bound, 2.0**failures raises OverflowError in a long outage.
_MAX_DOUBLINGS = 20


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


async def sleep_or_stop(stop: asyncio.Event, seconds: float) -> None:
    """Sleep `seconds`, or until `stop` is set."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def wait_for_any(seconds: float, *events: asyncio.Event) -> None:
    """Wait until one of the events is set, at most `seconds`."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
