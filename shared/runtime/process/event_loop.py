"""Measures how late the event loop runs its callbacks, and how busy its thread is."""

import asyncio
from time import thread_time

from shared.runtime.clock import monotonic
from shared.runtime.process import metrics
from shared.runtime.process.waiting import sleep_to_tick

_PERIOD_SECONDS = 0.25
_IDLE_PERIOD_SECONDS = 1.0
_IDLE_SHARE = 0.05
"""A loop that is busy for less of its time is measured less often: measuring would be a tenth of what the process does."""


async def measure_event_loop(stop: asyncio.Event) -> None:
    """Observe by how much a sleep took longer, four times a second or once while the loop is idle, until `stop` is set."""
    busy_until, period = thread_time(), _PERIOD_SECONDS
    while not stop.is_set():
        began = monotonic()
        expected = await sleep_to_tick(stop, period)
        if not stop.is_set():
            metrics.LOOP_LAG.observe(max(0.0, monotonic() - expected))
        busy_before, busy_until = busy_until, thread_time()
        metrics.LOOP_BUSY.inc(busy_until - busy_before)
        period = _IDLE_PERIOD_SECONDS if busy_until - busy_before < _IDLE_SHARE * (monotonic() - began) else _PERIOD_SECONDS
