"""Rebalances while a batch is running."""

import asyncio
from collections.abc import Sequence

from shared.runtime.database.database import Transaction
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.integration.runtime.probe_service import (
    INPUTS,
    OUTPUT,
    PARTITIONS,
    ProbeHandler,
    ProbeSender,
    build_service,
    count_rows,
    decode_note,
    wait_for_notes,
)
from tests.support.messaging.topic_client import read_records
from tests.support.waiting import wait_for


async def test_two_owners_of_a_partition_apply_each_record_once(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    """The second process owns the partitions while the first one still handles its batch."""
    release = asyncio.Event()
    entered = asyncio.Event()

    async def slow(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        await ProbeHandler().handle(tx, batch)
        entered.set()
        await release.wait()

    first = Service("probe", probe_settings, migrations="tests.integration.runtime.migrations")
    first.subscribe(INPUTS, "probe", slow, decode=decode_note)
    await sender.send_notes("case-actions", [(f"case-{n}", str(n)) for n in range(50)])
    async with first.running():
        await entered.wait()
        async with build_service(probe_settings, ProbeHandler()).running() as second:
            await wait_for(lambda: second.watermark.owned_partitions() != [])  # after the drain timeout
            release.set()

            async def all_in() -> bool:
                return await count_rows(second, "notes") == 50 and await count_rows(second, "outbox") == 0

            await wait_for(all_in)
    records = await read_records(probe_settings, OUTPUT)
    assert sorted(int(r.value.decode().split('"')[3]) for r in records) == list(range(50))


async def test_a_rebalance_waits_for_the_running_batch(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    """Without the listener the new owner would have read the same records again."""
    entered = asyncio.Event()

    async def slow(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        await ProbeHandler().handle(tx, batch)
        entered.set()
        await tx.execute("SELECT pg_sleep(1)")

    first = Service("probe", probe_settings, migrations="tests.integration.runtime.migrations")
    first.subscribe(INPUTS, "probe", slow, decode=decode_note)
    await sender.send_notes("case-actions", [(f"case-{n}", str(n)) for n in range(50)])
    repeated = ProbeHandler()
    async with first.running():
        await entered.wait()
        async with build_service(probe_settings, repeated).running() as second:
            await wait_for(lambda: second.watermark.owned_partitions() != [])

            async def caught_up() -> bool:
                await second.watermark.refresh(second.watermark.owned_partitions())
                return all(second.watermark.lag_by_topic.get(t.name) == 0 for t in INPUTS)

            await wait_for(caught_up)
            assert await count_rows(second, "notes") == 50
            assert repeated.batches == []
            assert len(set(first.watermark.owned_partitions()) | set(second.watermark.owned_partitions())) == PARTITIONS
            assert not set(first.watermark.owned_partitions()) & set(second.watermark.owned_partitions())


async def test_a_process_slower_than_the_poll_interval_loses_its_partitions_but_no_record(
    probe_settings: RuntimeSettings, sender: ProbeSender
) -> None:
    frozen = probe_settings.model_copy(update={"max_poll_interval_ms": 1500})
    calls = 0

    async def slow(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        nonlocal calls
        calls += 1
        await ProbeHandler().handle(tx, batch)
        if calls == 1:
            await tx.execute("SELECT pg_sleep(3)")

    service = Service("probe", frozen, migrations="tests.integration.runtime.migrations")
    service.subscribe(INPUTS, "probe", slow, decode=decode_note)
    revoked, forget = 0, service.watermark.on_revoked

    def counted() -> None:
        nonlocal revoked
        revoked += 1
        forget()

    service.watermark.on_revoked = counted  # type: ignore[method-assign]
    async with service.running():
        joined = revoked
        await sender.send_note("case-1", "slow")
        await wait_for_notes(service, ["slow"])
        await sender.send_note("case-1", "again")
        await wait_for_notes(service, ["slow", "again"])
        assert revoked > joined
