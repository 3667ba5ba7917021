"""Backoff doubles up to a limit with jitter, and every wait ends with the stop."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.runtime.process.waiting import Backoff, DueSignal, next_tick, sleep_or_stop, sleep_to_tick


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


NEXT_DUE = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


async def ends_early(signal: DueSignal, seconds: float = 0.2) -> bool:
    loop = asyncio.get_running_loop()
    started = loop.time()
    await signal.wait(seconds, NEXT_DUE, asyncio.Event())
    return loop.time() - started < seconds / 2


async def test_an_earlier_instant_ends_the_wait_and_a_later_one_does_not() -> None:
    loop, signal = asyncio.get_running_loop(), DueSignal()
    for offset, is_early in ((-SECOND, True), (SECOND, False)):
        signal.clear()
        loop.call_later(0.01, signal.note, NEXT_DUE + offset)
        assert await ends_early(signal) is is_early


async def test_an_instant_noted_between_reading_and_waiting_is_not_lost() -> None:
    signal = DueSignal()
    signal.clear()
    signal.note(NEXT_DUE + SECOND)
    signal.note(NEXT_DUE - SECOND)
    signal.note(NEXT_DUE + SECOND)
    assert await ends_early(signal, 60)


async def test_what_was_noted_before_reading_ends_no_wait() -> None:
    signal = DueSignal()
    signal.note(NEXT_DUE - SECOND)
    signal.clear()
    assert not await ends_early(signal)


async def test_the_wait_for_a_due_instant_ends_with_the_stop_and_with_set() -> None:
    stop, signal = asyncio.Event(), DueSignal()
    stop.set()
    async with asyncio.timeout(5):
        await signal.wait(60, NEXT_DUE, stop)
        signal.set()
        await signal.wait(60, NEXT_DUE, asyncio.Event())


@pytest.mark.parametrize("now", [0.0, 3.1, 1234.5678, 86_400.25])
def test_loops_with_periods_that_are_multiples_tick_together(now: float) -> None:
    ticks = [next_tick(now, 0.5)]
    while len(ticks) < 20:
        ticks.append(next_tick(ticks[-1] + 0.003, 0.5))
    for period in (1.0, 2.0, 5.0):
        assert now < next_tick(now, period) <= now + period
        assert any(abs(next_tick(now, period) - tick) < 1e-6 for tick in ticks)


async def test_tick_ends_with_the_stop() -> None:
    stop = asyncio.Event()
    stop.set()
    await sleep_to_tick(stop, 3600)
