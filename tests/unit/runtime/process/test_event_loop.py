"""A callback that blocks the event loop shows as its lag, and as processor time of its thread."""

import asyncio
import itertools
from time import thread_time

import pytest
from prometheus_client import REGISTRY

from shared.runtime.process import event_loop
from shared.runtime.process.event_loop import measure_event_loop
from tests.support.waiting import wait_for


def slow_sleeps() -> float:
    """The measured sleeps that took a tenth of a second longer, or more."""
    count = REGISTRY.get_sample_value("jiesu_event_loop_lag_seconds_count") or 0.0
    return count - (REGISTRY.get_sample_value("jiesu_event_loop_lag_seconds_bucket", {"le": "0.1"}) or 0.0)


async def test_blocked_loop_is_late_and_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_loop, "_PERIOD_SECONDS", 0.01)
    stop = asyncio.Event()
    before, busy_before = slow_sleeps(), REGISTRY.get_sample_value("jiesu_event_loop_busy_seconds_total") or 0.0
    measuring = asyncio.create_task(measure_event_loop(stop))
    await asyncio.sleep(0)
    started = thread_time()
    while thread_time() - started < 0.2:
        pass  # what code of ours that computes without a pause does
    await wait_for(lambda: slow_sleeps() > before)
    stop.set()
    await measuring
    assert (REGISTRY.get_sample_value("jiesu_event_loop_busy_seconds_total") or 0.0) - busy_before >= 0.2


async def test_idle_loop_is_measured_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, periods = asyncio.Event(), list[float]()
    busy_until = iter([0.0, 0.1, 0.1, 0.2])  # processor seconds: busy, idle, busy
    now = itertools.count(0.0)

    async def sleep(_: asyncio.Event, seconds: float) -> float:
        periods.append(seconds)
        if len(periods) == 3:
            stop.set()
        return 0.0

    monkeypatch.setattr(event_loop, "sleep_to_tick", sleep)
    monkeypatch.setattr(event_loop, "thread_time", lambda: next(busy_until))
    monkeypatch.setattr(event_loop, "monotonic", lambda: next(now))
    await measure_event_loop(stop)
    assert periods == [0.25, 0.25, 1.0]
