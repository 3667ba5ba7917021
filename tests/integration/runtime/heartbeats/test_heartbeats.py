"""Heartbeats on a real broker: a process that stands still is seen by another, one that stops in order is not missed."""

import asyncio

import pytest
from structlog.testing import capture_logs

from shared.contracts.topics import HEARTBEATS
from shared.runtime.heartbeats.listener import HeartbeatListener
from shared.runtime.heartbeats.sender import HeartbeatSender
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.process import metrics
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings
from tests.support.messaging.settings import SettingsFactory
from tests.support.waiting import wait_for


@pytest.fixture
def beating(make_settings: SettingsFactory) -> RuntimeSettings:
    return make_settings(RuntimeSettings, heartbeat_seconds=0.1, silence_seconds=1.0)


def make_sender(service: str, settings: RuntimeSettings) -> HeartbeatSender:
    return HeartbeatSender(service, settings, Health(), lambda: 8000, lambda: None)


async def test_standstill_is_seen_and_an_orderly_stop_is_none(beating: RuntimeSettings) -> None:
    await apply_topics(beating, [HEARTBEATS])
    stop, stop_of_notify = asyncio.Event(), asyncio.Event()
    listener = HeartbeatListener(beating)

    def heard() -> set[str]:
        return {peer.beat.service for peer in listener.peers}

    with capture_logs() as lines:
        stalled = asyncio.create_task(make_sender("sla", beating).run(asyncio.Event()))
        others = [asyncio.create_task(make_sender("notify", beating).run(stop_of_notify))]
        others += [asyncio.create_task(each.run(stop)) for each in (make_sender("triage", beating), listener)]
        await wait_for(lambda: heard() == {"sla", "notify", "triage"})
        # Cancelled, it sends no last heartbeat: to the others it stands still.
        stalled.cancel()
        stop_of_notify.set()
        await wait_for(lambda: [line["peer"] for line in lines if line["event"] == "a process stands still"] == ["sla"])
        assert heard() == {"sla", "triage"}
        samples = {sample.labels["service"]: sample.value for family in metrics.HEARTBEAT_AGE.collect() for sample in family.samples}
        assert samples["sla"] > 1.0
        assert samples["triage"] < 1.0
        stop.set()
        await asyncio.gather(*others)


async def test_without_the_topic_the_loops_go_on_and_say_so_once(beating: RuntimeSettings) -> None:
    stop = asyncio.Event()
    listener = HeartbeatListener(beating)
    with capture_logs() as lines:
        tasks = [asyncio.create_task(each.run(stop)) for each in (make_sender("sla", beating), listener)]
        failed = metrics.HEARTBEATS_FAILED._value.get
        before = failed()
        await wait_for(lambda: failed() >= before + 2)
        await apply_topics(beating, [HEARTBEATS])
        await wait_for(lambda: [peer.beat.service for peer in listener.peers] == ["sla"])
        stop.set()
        await asyncio.gather(*tasks)
    assert [line["event"] for line in lines].count("heartbeats cannot be sent") == 1
