"""Batches on the real broker and database: one effect per record, in the order of its case."""

import asyncio
from itertools import pairwise

from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.process.settings import RuntimeSettings
from tests.integration.runtime.probe_service import (
    OUTPUT,
    PARTITIONS,
    ProbeHandler,
    ProbeSender,
    build_service,
    case_on_partition,
    count_rows,
    stored_notes,
    wait_for_notes,
)
from tests.support.messaging.topic_client import read_records
from tests.support.waiting import wait_for


async def test_records_sent_before_the_group_existed_have_one_effect_and_one_message(
    probe_settings: RuntimeSettings, sender: ProbeSender
) -> None:
    await sender.send_note("case-1", "one")
    await sender.send_note("case-1", "two")
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        await wait_for_notes(service, ["one", "two"])

        async def sent() -> bool:
            return await count_rows(service, "outbox") == 0

        await wait_for(sent)
    records = await read_records(probe_settings, OUTPUT)
    assert [r.value for r in records] == [b'{"text":"one"}', b'{"text":"two"}']
    assert {r.partition for r in records} == {partition_of("case-1", PARTITIONS)}


async def test_a_repeated_id_has_one_effect(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    event_id = "018f0000-0000-7000-8000-000000000001"
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        await sender.send_note("case-1", "once", event_id=event_id)
        await sender.send_note("case-1", "once", event_id=event_id)
        await wait_for_notes(service, ["once"])
        await sender.send_note("case-1", "once", event_id=event_id)
        await sender.send_note("case-1", "last")
        await wait_for_notes(service, ["once", "last"])
        assert await count_rows(service, "inbox") == 2


async def test_the_same_id_on_another_topic_is_applied(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    event_id = "018f0000-0000-7000-8000-000000000001"
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        await sender.send_note("case-1", "stranger", "case-actions", event_id=event_id)
        await wait_for_notes(service, ["stranger"])
        await sender.send_note("case-1", "ours", "triage-events", event_id=event_id)
        await wait_for_notes(service, ["stranger", "ours"])
        assert await count_rows(service, "inbox") == 2


async def test_partitions_of_a_large_poll_do_not_wait_for_each_other(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    stuck, free = case_on_partition(2), case_on_partition(3)
    texts = [f"{n:03}" for n in range(probe_settings.batch_size // 2)]
    await sender.send_note(stuck, "opened")
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        await wait_for_notes(service, ["opened"], stuck)
    for text in texts:
        await asyncio.gather(sender.send_note(stuck, text), sender.send_note(free, text))
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        async with service.database.transaction() as tx:
            await tx.fetch("SELECT id FROM cases WHERE id = $1 FOR UPDATE", stuck)
            await wait_for_notes(service, texts, free)
            assert await stored_notes(service, stuck) == ["opened"]
        await wait_for_notes(service, ["opened", *texts], stuck)


async def test_thousands_of_records_keep_the_order_of_their_case(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    sent = [(f"case-{n % 37}", f"{n:05}") for n in range(3000)]
    await sender.send_notes("case-actions", sent)
    probe = ProbeHandler()
    async with build_service(probe_settings, probe).running() as service:

        async def all_in() -> bool:
            return await count_rows(service, "notes") == 3000

        await wait_for(all_in)
        for n in range(37):
            texts = await stored_notes(service, f"case-{n}")
            assert all(a < b for a, b in pairwise(texts))
        assert max(map(len, probe.batches)) > 100
