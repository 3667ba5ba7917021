"""A background loop is restarted after a failure until it returns or the process stops."""

import asyncio

import pytest

from shared.runtime.process.health import Health
from shared.runtime.process.supervision import supervise


async def test_loop_is_restarted_after_a_failure_and_reported_as_trouble() -> None:
    runs = 0

    async def loop(_: asyncio.Event) -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise RuntimeError

    health = Health()
    await supervise("shaky", loop, asyncio.Event(), health)
    assert runs == 3
    assert health.troubles()["shaky"].startswith("RuntimeError")


async def test_loop_is_not_restarted_after_the_stop() -> None:
    stop = asyncio.Event()
    runs = 0

    async def loop(_: asyncio.Event) -> None:
        nonlocal runs
        runs += 1
        stop.set()
        raise RuntimeError

    await supervise("shaky", loop, stop, Health())
    assert runs == 1


async def test_cancelling_the_supervision_cancels_the_loop() -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def loop(_: asyncio.Event) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    task = asyncio.create_task(supervise("endless", loop, asyncio.Event(), Health()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled.is_set()
