"""Keeps the loops of a process turning: one that fails is logged, makes the process unready and starts again after a pause."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from shared.runtime.clock import backoff, monotonic
from shared.runtime.process.failures import redacted_reason
from shared.runtime.process.health import Health

BackgroundLoop = Callable[[asyncio.Event], Awaitable[None]]
_HEALTHY_AFTER_SECONDS = 5.0
log = structlog.get_logger(__name__)


async def supervise(name: str, loop: BackgroundLoop, stop: asyncio.Event, health: Health) -> None:
    """Run `loop(stop)` again and again until it returns or `stop` is set; cancelling this cancels it."""
    failures = 0
    while True:
        started = monotonic()
        error = await _run_until_failure(name, loop, stop, health)
        if error is None:
            return
        failures = 1 if monotonic() - started > _HEALTHY_AFTER_SECONDS else failures + 1
        health.set_trouble(name, redacted_reason(error))
        log.warning("loop failed", loop=name, failures=failures, reason=redacted_reason(error))
        if stop.is_set():
            return
        await sleep_or_stop(stop, backoff(failures, initial_seconds=0.1, max_seconds=3.0))


async def _run_until_failure(name: str, loop: BackgroundLoop, stop: asyncio.Event, health: Health) -> BaseException | None:
    """Run the loop once; the error that ended it, None when it returned."""
    task = asyncio.ensure_future(loop(stop))
    try:
        await asyncio.wait([task], timeout=_HEALTHY_AFTER_SECONDS)
        if not task.done():
            health.clear_trouble(name)
            await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task])
        raise
    return None if task.cancelled() else task.exception()


async def sleep_or_stop(stop: asyncio.Event, seconds: float) -> None:
    """Wait for `seconds`, or less when `stop` is set."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
