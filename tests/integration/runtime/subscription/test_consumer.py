"""Polling: fetches, linger and compression on the real broker."""

import pytest

from shared.contracts import topics
from shared.runtime.errors import Misconfigured
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.subscription.consumer import _BUSY_FETCH_MS, IDLE_FETCH_MS
from tests.integration.runtime.probe_service import (
    ProbeHandler,
    ProbeSender,
    build_service,
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
