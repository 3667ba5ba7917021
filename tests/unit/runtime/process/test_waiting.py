"""Backoff doubles up to a limit with jitter, and every wait ends with the stop."""

import asyncio

import pytest

from shared.runtime.process.waiting import Backoff, sleep_or_stop


def test_backoff_doubles_up_to_its_limit_less_at_most_a_half() -> None:
    backoff = Backoff(initial_seconds=1, max_seconds=5)
    for longest in (1, 2, 4, 5, 5):
        assert longest / 2 <= backoff.next_wait() <= longest
    assert backoff.failures == 5


def test_backoff_never_exceeds_its_limit() -> None:
    backoff = Backoff(initial_seconds=0.05, max_seconds=5)
    backoff.failures = 100_000
    assert 2.5 <= backoff.next_wait() <= 5


def test_backoff_begins_again_after_a_reset() -> None:
    backoff = Backoff(initial_seconds=1, max_seconds=100)
    for _ in range(5):
        backoff.next_wait()
    backoff.reset()
    assert backoff.next_wait() <= 1


@pytest.mark.timeout(10)
async def test_waits_end_with_the_stop() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_soon(stop.set)
    await Backoff(initial_seconds=3600, max_seconds=3600).wait(stop)
    await sleep_or_stop(stop, 3600)


async def test_sleep_ends_after_its_time_without_a_stop() -> None:
    stop = asyncio.Event()
    await sleep_or_stop(stop, 0)
    assert not stop.is_set()
