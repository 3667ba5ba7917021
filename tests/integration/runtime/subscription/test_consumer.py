"""Polling: fetches, linger and compression on the real broker."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Any

import pytest

from shared.contracts import topics
from shared.runtime.database.database import Transaction
from shared.runtime.errors import Misconfigured
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from shared.runtime.subscription.consumer import _BUSY_FETCH_MS, IDLE_FETCH_MS, PollTrackingConsumer
from tests.integration.runtime.probe_service import (
    ProbeHandler,
    ProbeSender,
    build_service,
    case_on_partition,
    count_rows,
    wait_for_notes,
)
from tests.support.messaging.cloud_events import cloud_event
from tests.support.messaging.topic_client import open_topic_client
from tests.support.waiting import wait_for


async def test_consumer_lingers_only_after_draining_every_partition(
    probe_settings: RuntimeSettings, sender: ProbeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.runtime.subscription.consumer._LINGER_SECONDS", 3600.0)
    wide = probe_settings.model_copy(update={"batch_size": 10_000})
    await sender.send_notes("case-actions", [("case-1", f"{n:05}" + "x" * 1000) for n in range(1000)])  # several fetches of one partition
    probe = ProbeHandler()
    async with build_service(wide, probe).running() as service:

        async def all_in() -> bool:
            return await count_rows(service, "notes") == 1000

        await wait_for(all_in)
        assert len(probe.batches) > 3


async def test_fetches_wait_at_the_broker_for_long_only_while_nothing_arrives(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        subscriber = service.subscription.subscriber
        assert subscriber is not None
        waits: list[int] = []

        def longest_wait() -> int:
            assert subscriber is not None
            assert subscriber.consumer is not None
            waits.append(subscriber.consumer._fetcher._fetch_max_wait_ms)
            return waits[-1]

        await sender.send_notes("case-actions", [("case-1", "first")])
        await wait_for(lambda: longest_wait() == _BUSY_FETCH_MS)
        await wait_for(lambda: longest_wait() == IDLE_FETCH_MS)


class HeldProbe(ProbeHandler):
    """Each of its batches waits for `release`."""

    def __init__(self) -> None:
        super().__init__()
        self.release = asyncio.Event()

    async def handle(self, tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        await super().handle(tx, batch)
        await self.release.wait()


async def send_during_a_batch(service: Service, probe: HeldProbe, sender: ProbeSender) -> None:
    """Send five notes while the batch of another one runs, after a sixth that ends aiokafka's fetch."""
    await sender.send_note(case_on_partition(0), "first")
    await wait_for(lambda: probe.batches == [["first"]])
    assert service.subscription.subscriber is not None
    assert service.subscription.subscriber.consumer is not None
    fetcher = service.subscription.subscriber.consumer._fetcher
    fetcher._prefetch_backoff = 60.0  # however slow the test is, no other fetch before the records of this one are taken
    await sender.send_note(case_on_partition(1), "fetched")
    await wait_for(lambda: bool(fetcher._records), what="a fetch during the batch")
    for number in range(5):
        await sender.send_note(case_on_partition(number), f"later {number}")
    probe.release.set()

    async def all_stored() -> bool:
        return await count_rows(service, "notes") == 7

    await wait_for(all_stored)


async def test_records_that_arrive_during_a_batch_are_in_the_next_one_together(
    probe_settings: RuntimeSettings, sender: ProbeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fetch that aiokafka sends while a batch runs ends with the first record, and the next one only follows once it is taken."""
    monkeypatch.setattr("shared.runtime.subscription.consumer._LINGER_SECONDS", 0.0)
    monkeypatch.setattr("shared.runtime.subscription.consumer._NEXT_FETCH_MS", 2000)
    probe = HeldProbe()
    async with build_service(probe_settings, probe).running() as service:
        await send_during_a_batch(service, probe, sender)
    assert [len(batch) for batch in probe.batches] == [1, 6]


async def test_a_rebalance_does_not_wait_for_the_next_fetch(
    probe_settings: RuntimeSettings, sender: ProbeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the group changes, a poll waits for the new assignment: what it has taken has to be processed before."""
    waited: list[float] = []
    take_next_fetch = PollTrackingConsumer._take_next_fetch

    async def take_during_a_rebalance(self: PollTrackingConsumer, *arguments: Any) -> None:
        self._subscription.begin_reassignment()
        started = monotonic()
        await take_next_fetch(self, *arguments)
        waited.append(monotonic() - started)
        self._subscription.subscription._reassignment_in_progress = False

    monkeypatch.setattr(PollTrackingConsumer, "_take_next_fetch", take_during_a_rebalance)
    probe = HeldProbe()
    async with build_service(probe_settings, probe).running() as service:
        await send_during_a_batch(service, probe, sender)
    assert waited
    assert max(waited) < 1


async def test_compressed_records_are_read(probe_settings: RuntimeSettings) -> None:
    for codec in ("gzip", "lz4", "snappy", "zstd"):
        async with open_topic_client(probe_settings, compression_type=codec) as client:
            await client.publish(cloud_event(topics.CASE_ACTIONS, "case-1", "noted", {"text": codec * 50}))
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        await wait_for_notes(service, [codec * 50 for codec in ("gzip", "lz4", "snappy", "zstd")])
        assert await count_rows(service, "dead_letter") == 0


async def test_a_second_subscription_is_refused(probe_settings: RuntimeSettings) -> None:
    service = build_service(probe_settings, ProbeHandler())
    with pytest.raises(Misconfigured, match="one subscriber"):
        service.subscribe([topics.CASE_EVENTS], "other", ProbeHandler().handle)
    await service.database.close()
