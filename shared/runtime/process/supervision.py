"""Runs the background loops of a process and restarts one that fails."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from shared.runtime.clock import monotonic
from shared.runtime.process import metrics
from shared.runtime.process.failures import redacted_reason
from shared.runtime.process.health import Health
from shared.runtime.process.waiting import Backoff

BackgroundLoop = Callable[[asyncio.Event], Awaitable[None]]
"""Runs until its stop event is set; raises on a failure."""
_HEALTHY_AFTER_SECONDS = 5.0
log = structlog.get_logger(__name__)


async def supervise(name: str, loop: BackgroundLoop, stop: asyncio.Event, health: Health) -> None:
    """Run `loop(stop)` until it returns or `stop` is set. A failure is logged, degrades the process and restarts the loop."""
    metrics.LOOP_FAILURES.labels(name)
    backoff = Backoff(initial_seconds=0.1, max_seconds=3.0)
    while True:
        started = monotonic()
        error = await _run_until_failure(name, loop, stop, health)
        if error is None:
            return
        if monotonic() - started > _HEALTHY_AFTER_SECONDS:
            backoff.reset()
        metrics.LOOP_FAILURES.labels(name).inc()
        health.set_trouble(name, redacted_reason(error))
        log.warning("background loop failed", loop=name, failures=backoff.failures + 1, reason=redacted_reason(error))
        await backoff.wait(stop)
        if stop.is_set():
            return


async def _run_until_failure(name: str, loop: BackgroundLoop, stop: asyncio.Event, health: Health) -> BaseException | None:
    """Run the loop once; returns the error that ended it, None when it returned."""
    task = asyncio.ensure_future(loop(stop))
    try:
        # asyncio.wait, unlike wait_for, neither cancels nor raises at its timeout.
        await asyncio.wait([task], timeout=_HEALTHY_AFTER_SECONDS)
        if not task.done():
            health.clear_trouble(name)
            await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task])
        raise
    return None if task.cancelled() else task.exception()
