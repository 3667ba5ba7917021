"""The way out: nothing lost, order kept, one relay a shard, a topic at fault holds nobody up."""

import asyncio
from datetime import UTC, datetime
from time import monotonic

import pytest

from shared.contracts.envelope import CloudEventRecord
from shared.runtime.clock import uuid7
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import partition_of
from shared.runtime.outbox import outbox
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.integration.runtime.conftest import read_topic
from tests.integration.runtime.probe import OUTPUT, PARTITIONS, ProbeHandler, build_service, count_rows
from tests.support.waiting import wait_for


def message(case: str, text: str, topic: str = OUTPUT.name) -> CloudEventRecord:
    return CloudEventRecord(topic, case, uuid7(), "noted", datetime.now(UTC), text.encode(), "/probe", 5, "00-ab-cd-01")


async def emptied(service: Service) -> None:
    async def empty() -> bool:
        return await count_rows(service, "outbox") == 0

    await wait_for(empty, what="the outbox is empty")


async def test_a_message_carries_its_key_headers_and_body(applied: RuntimeSettings) -> None:
    async with build_service(applied, ProbeHandler()).running() as service:
        sent = message("case-1", "ünï")
        async with service.database.transaction() as tx:
            await outbox.add(tx, [sent])
        await emptied(service)
    [record] = await read_topic(applied, OUTPUT.name)
    assert (record.key, record.value, record.partition) == (b"case-1", "ünï".encode(), partition_of("case-1", PARTITIONS))
    assert list(record.headers) == sent.kafka_headers()
    assert record.timestamp_type == 1


async def test_a_rolled_back_transaction_says_nothing(applied: RuntimeSettings) -> None:
    async with build_service(applied, ProbeHandler()).running() as service:

        async def fail() -> None:
            async with service.database.transaction() as tx:
                await outbox.add(tx, [message("case-1", "never")])
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        async with service.database.transaction() as tx:
            await outbox.add(tx, [message("case-1", "said")])
        await emptied(service)
    assert [r.value for r in await read_topic(applied, OUTPUT.name)] == [b"said"]


async def test_a_commit_wakes_the_relay_without_polling(applied: RuntimeSettings) -> None:
    slow = applied.model_copy(update={"outbox_poll_ms": 30_000})
    async with build_service(slow, ProbeHandler()).running() as service:
        for n in range(5):
            async with service.database.transaction() as tx:
                await outbox.add(tx, [message("case-1", str(n))])
            started = monotonic()
            await emptied(service)
            assert monotonic() - started < 5


async def test_keyed_sends_are_gathered_not_awaited_one_by_one(applied: RuntimeSettings) -> None:
    """One by one it would be some hundreds a second."""
    async with build_service(applied, ProbeHandler()).running() as service:
        async with service.database.transaction() as tx:
            await outbox.add(tx, [message(f"case-{n % 100}", f"{n:06}") for n in range(10_000)])
        started = monotonic()
        await emptied(service)
        assert 10_000 / (monotonic() - started) > 2000
    first: dict[bytes, list[bytes]] = {}
    for record in await read_topic(applied, OUTPUT.name):
        first.setdefault(record.key, []).append(record.value)
    assert sum(map(len, first.values())) == 10_000
    assert all(values == sorted(values) for values in first.values())


async def test_thousands_of_rows_go_in_at_once(applied: RuntimeSettings) -> None:
    """By COPY; long VALUES are many times slower."""
    async with build_service(applied, ProbeHandler()).running() as service:
        batch = [message(f"case-{n}", "x") for n in range(5000)]
        started = monotonic()
        async with service.database.transaction() as tx:
            await outbox.add(tx, batch)
        assert monotonic() - started < 2


async def test_what_one_transaction_says_to_a_topic_is_a_row_that_the_relay_can_carry(applied: RuntimeSettings) -> None:
    large = "x" * 800_000
    async with build_service(applied, ProbeHandler()).running() as service:
        async with service.database.transaction() as tx:
            await outbox.add(tx, [message(f"case-{n}", f"{n}") for n in range(1200)])
            await outbox.add(tx, [message("case-1", large) for _ in range(12)])
            await outbox.add(tx, [])
            rows = await tx.fetch("SELECT messages, cardinality(keys), cardinality(headers), cardinality(bodies) FROM outbox ORDER BY id")
            assert [tuple(row) for row in rows] == [(n, n, n, n) for n in (500, 500, 200, 5, 5, 2)]
        await emptied(service)
    values = [record.value for record in await read_topic(applied, OUTPUT.name)]
    assert len(values) == 1212
    assert values.count(large.encode()) == 12


async def test_many_relays_and_shards_send_each_message_once_in_order(applied: RuntimeSettings) -> None:
    sharded = applied.model_copy(update={"outbox_shards": 4})
    services = [build_service(sharded, ProbeHandler()) for _ in range(3)]
    await asyncio.gather(*(service.start() for service in services))
    for n in range(30):
        async with services[n % 3].database.transaction() as tx:
            await outbox.add(tx, [message(f"case-{k}", f"{n:03}") for k in range(40)])
    await emptied(services[0])
    await asyncio.gather(*(service.stop() for service in services))
    mine: dict[bytes, list[bytes]] = {}
    for record in await read_topic(applied, OUTPUT.name):
        mine.setdefault(record.key, []).append(record.value)
    assert len(mine) == 40
    assert all(values == [f"{n:03}".encode() for n in range(30)] for values in mine.values())


async def test_an_absent_topic_is_held_and_named_while_the_others_go_on_at_once(applied: RuntimeSettings) -> None:
    slow = applied.model_copy(update={"outbox_poll_ms": 3_600_000})
    async with build_service(slow, ProbeHandler()).running() as service:
        async with service.database.transaction() as tx:
            await outbox.add(tx, [message("case-1", "lost?", "department-17"), message("case-1", "on its way")])

        async def only_the_absent_one() -> bool:
            return await count_rows(service, "outbox") == 1

        await wait_for(only_the_absent_one)
        assert "department-17: does not exist: run `jiesu topics apply`" in service.health.troubles()["relay"]
    assert [r.value for r in await read_topic(applied, OUTPUT.name)] == [b"on its way"]


async def test_a_message_that_no_broker_takes_is_refused_before_it_blocks_the_outbox(applied: RuntimeSettings) -> None:
    async with build_service(applied, ProbeHandler()).running() as service, service.database.transaction() as tx:
        with pytest.raises(Rejected, match="would exceed"):
            await outbox.add(tx, [message("case-1", "x" * 1_000_000)])


async def test_a_relay_killed_between_send_and_commit_repeats_the_same_ids(applied: RuntimeSettings) -> None:
    """The connection dies after Kafka has taken the messages: they come again, under the same ids."""
    async with build_service(applied, ProbeHandler()).running() as service:
        send = service.relay._producer.send
        killed = False

        async def send_and_die(messages: object) -> None:
            nonlocal killed
            await send(messages)  # type: ignore[arg-type]
            if not killed:
                killed = True
                async with service.database.transaction() as other:
                    await other.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid() "
                        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                    )

        service.relay._producer.send = send_and_die  # type: ignore[method-assign]
        async with service.database.transaction() as tx:
            await outbox.add(tx, [message("case-1", str(n)) for n in range(3)])
        await emptied(service)
        assert killed
    records = await read_topic(applied, OUTPUT.name)
    assert [r.value for r in records] == [b"0", b"1", b"2"] * 2
    assert len({dict(r.headers)["ce_id"] for r in records}) == 3
