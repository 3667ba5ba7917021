"""Measures how late the event loop runs its callbacks, and how busy its thread is."""

import asyncio
from time import thread_time

from shared.runtime.clock import monotonic
from shared.runtime.process import metrics
from shared.runtime.process.waiting import sleep_or_stop

_PERIOD_SECONDS = 0.25


async def measure_event_loop(stop: asyncio.Event) -> None:
    """Observe four times a second by how much a sleep took longer, until `stop` is set."""
    busy_until = thread_time()
    while not stop.is_set():
        expected = monotonic() + _PERIOD_SECONDS
        await sleep_or_stop(stop, _PERIOD_SECONDS)
        if not stop.is_set():
            metrics.LOOP_LAG.observe(max(0.0, monotonic() - expected))
        busy_before, busy_until = busy_until, thread_time()
        metrics.LOOP_BUSY.inc(busy_until - busy_before)
