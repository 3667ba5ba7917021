"""The outbox and its relay: nothing is lost, the order of a key is kept, an absent topic does not delay others."""

import asyncio
import re
from dataclasses import replace
from time import monotonic

import pytest
from prometheus_client import REGISTRY

from shared.contracts.envelope import CloudEventRecord
from shared.runtime.errors import Rejected
from shared.runtime.http.request_metrics import exposition_for
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.outbox import outbox
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.integration.runtime.probe_service import OUTPUT, PARTITIONS, ProbeHandler, build_service, count_rows
from tests.support.messaging.cloud_events import cloud_event
from tests.support.messaging.topic_client import read_records
from tests.support.waiting import wait_for

OPEN_METRICS = "application/openmetrics-text;version=1.0.0"


def message(case: str, text: str, topic: str = OUTPUT.name) -> CloudEventRecord:
    record = cloud_event(OUTPUT, case, "noted", text.encode(), "/probe")
    return replace(record, topic=topic, sequence=5, traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


async def wait_until_outbox_empty(service: Service) -> None:
    async def empty() -> bool:
        return await count_rows(service, "outbox") == 0

    await wait_for(empty, what="an empty outbox")


async def test_relay_sends_key_headers_and_body(probe_settings: RuntimeSettings) -> None:
    sent = REGISTRY.get_sample_value("jiesu_relay_messages_total", {"topic": OUTPUT.name, "outcome": "sent"}) or 0
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        added = message("case-1", "ünï")
        async with service.database.transaction() as tx:
            await outbox.add(tx, [added])
        await wait_until_outbox_empty(service)
    assert REGISTRY.get_sample_value("jiesu_relay_messages_total", {"topic": OUTPUT.name, "outcome": "sent"}) == sent + 1
    # The wait of the message in the outbox names its trace.
    assert re.search(rb'jiesu_outbox_wait_seconds_bucket.*trace_id="0af7651916cd43dd8448eb211c80319c"', exposition_for(OPEN_METRICS)[0])
    [record] = await read_records(probe_settings, OUTPUT)
    assert (record.key, record.value, record.partition) == (b"case-1", "ünï".encode(), partition_of("case-1", PARTITIONS))
    assert list(record.headers) == added.kafka_headers()
    assert record.timestamp_type == 1


async def test_a_rolled_back_transaction_sends_nothing(probe_settings: RuntimeSettings) -> None:
    async with build_service(probe_settings, ProbeHandler()).running() as service:

        async def fail() -> None:
            async with service.database.transaction() as tx:
                await outbox.add(tx, [message("case-1", "never")])
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        async with service.database.transaction() as tx:
            await outbox.add(tx, [message("case-1", "sent")])
        await wait_until_outbox_empty(service)
    assert [r.value for r in await read_records(probe_settings, OUTPUT)] == [b"sent"]


async def test_a_stop_while_the_relay_fails_closes_its_producer(probe_settings: RuntimeSettings) -> None:
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        async with service.database.transaction() as tx:
            await outbox.add(tx, [message("case-1", "sent")])
        await wait_until_outbox_empty(service)
        producer = service.relay._producer._current
        assert producer is not None
        async with service.database.transaction() as tx:
            await tx.execute("ALTER TABLE outbox RENAME TO hidden")
        await wait_for(lambda: "relay" in service.health.troubles())
    assert producer._closed
    assert service.relay._producer._current is None


async def test_a_commit_wakes_the_relay_before_the_next_poll(probe_settings: RuntimeSettings) -> None:
    slow = probe_settings.model_copy(update={"outbox_poll_ms": 30_000})
    async with build_service(slow, ProbeHandler()).running() as service:
        for n in range(5):
            async with service.database.transaction() as tx:
                await outbox.add(tx, [message("case-1", str(n))])
            started = monotonic()
            await wait_until_outbox_empty(service)
            assert monotonic() - started < 5


async def test_a_small_cycle_is_not_followed_by_an_empty_one_at_once(probe_settings: RuntimeSettings) -> None:
    def empty_cycles() -> float:
        return REGISTRY.get_sample_value("jiesu_relay_cycles_total", {"result": "empty"}) or 0

    before_start = empty_cycles()

    async def first_cycle_done() -> bool:
        return empty_cycles() > before_start

    slow = probe_settings.model_copy(update={"outbox_poll_ms": 30_000})
    async with build_service(slow, ProbeHandler()).running() as service:
        await wait_for(first_cycle_done, what="the relay's first cycle")
        before = empty_cycles()
        for n in range(3):
            async with service.database.transaction() as tx:
                await outbox.add(tx, [message("case-1", str(n))])
            await wait_until_outbox_empty(service)
        assert empty_cycles() == before


async def test_relay_with_a_pause_sends_the_commits_of_that_time_in_one_cycle(probe_settings: RuntimeSettings) -> None:
    def cycles() -> float:
        return REGISTRY.get_sample_value("jiesu_relay_cycles_total", {"result": "sent"}) or 0

    service = build_service(probe_settings, ProbeHandler())
    service.relay.pause_seconds = 2.0
    async with service.running():
        before = cycles()
        for n in range(20):
            async with service.database.transaction() as tx:
                await outbox.add(tx, [message("case-1", f"{n:02}")])
        await wait_until_outbox_empty(service)
        assert 1 <= cycles() - before <= 3
    assert [record.value for record in await read_records(probe_settings, OUTPUT)] == [f"{n:02}".encode() for n in range(20)]


async def test_relay_sends_thousands_of_messages_a_second_in_order_of_their_key(probe_settings: RuntimeSettings) -> None:
    """Awaiting each send gives some hundreds a second."""
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        async with service.database.transaction() as tx:
            await outbox.add(tx, [message(f"case-{n % 100}", f"{n:06}") for n in range(10_000)])
        started = monotonic()
        await wait_until_outbox_empty(service)
        assert 10_000 / (monotonic() - started) > 2000
    by_key: dict[bytes, list[bytes]] = {}
    for record in await read_records(probe_settings, OUTPUT):
        by_key.setdefault(record.key, []).append(record.value)
    assert sum(map(len, by_key.values())) == 10_000
    assert all(values == sorted(values) for values in by_key.values())


async def test_thousands_of_messages_are_inserted_by_copy(probe_settings: RuntimeSettings) -> None:
    """Long VALUES are many times slower than COPY."""
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        batch = [message(f"case-{n}", "x") for n in range(5000)]
        started = monotonic()
        async with service.database.transaction() as tx:
            await outbox.add(tx, batch)
        assert monotonic() - started < 2


async def test_outbox_writes_one_row_per_topic_and_transaction(probe_settings: RuntimeSettings) -> None:
    large = "x" * 800_000
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        async with service.database.transaction() as tx:
            await outbox.add(tx, [message(f"case-{n}", f"{n}") for n in range(1200)])
            await outbox.add(tx, [message("case-1", large) for _ in range(12)])
            await outbox.add(tx, [])
            rows = await tx.fetch("SELECT messages, cardinality(keys), cardinality(headers), cardinality(bodies) FROM outbox ORDER BY id")
            assert [tuple(row) for row in rows] == [(n, n, n, n) for n in (500, 500, 200, 5, 5, 2)]
        await wait_until_outbox_empty(service)
    values = [record.value for record in await read_records(probe_settings, OUTPUT)]
    assert len(values) == 1212
    assert values.count(large.encode()) == 12


async def test_several_relays_and_shards_send_each_message_once_in_order(probe_settings: RuntimeSettings) -> None:
    sharded = probe_settings.model_copy(update={"outbox_shards": 4})
    services = [build_service(sharded, ProbeHandler()) for _ in range(3)]
    await asyncio.gather(*(service.start() for service in services))
    for n in range(30):
        async with services[n % 3].database.transaction() as tx:
            await outbox.add(tx, [message(f"case-{k}", f"{n:03}") for k in range(40)])
    await wait_until_outbox_empty(services[0])
    await asyncio.gather(*(service.stop() for service in services))
    by_key: dict[bytes, list[bytes]] = {}
    for record in await read_records(probe_settings, OUTPUT):
        by_key.setdefault(record.key, []).append(record.value)
    assert len(by_key) == 40
    assert all(values == [f"{n:03}".encode() for n in range(30)] for values in by_key.values())


async def test_messages_of_an_absent_topic_are_retained_and_others_sent(probe_settings: RuntimeSettings) -> None:
    slow = probe_settings.model_copy(update={"outbox_poll_ms": 3_600_000})
    async with build_service(slow, ProbeHandler()).running() as service:
        async with service.database.transaction() as tx:
            await outbox.add(tx, [message("case-1", "held", "department-17"), message("case-1", "sent")])

        async def only_one_row_left() -> bool:
            return await count_rows(service, "outbox") == 1

        await wait_for(only_one_row_left)
        assert "department-17: does not exist: run `jiesu topics apply`" in service.health.troubles()["relay"]
    assert [r.value for r in await read_records(probe_settings, OUTPUT)] == [b"sent"]


async def test_a_message_over_the_size_limit_is_rejected(probe_settings: RuntimeSettings) -> None:
    async with build_service(probe_settings, ProbeHandler()).running() as service, service.database.transaction() as tx:
        with pytest.raises(Rejected, match="exceeds the limit"):
            await outbox.add(tx, [message("case-1", "x" * 1_000_000)])


async def test_a_relay_that_loses_its_transaction_after_sending_repeats_the_same_ids(probe_settings: RuntimeSettings) -> None:
    """The connection is lost after Kafka has acknowledged the messages."""
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        send = service.relay._producer.send
        killed = False

        async def send_and_die(records: object) -> list[BaseException | None]:
            nonlocal killed
            outcomes = await send(records)  # type: ignore[arg-type]
            if not killed:
                killed = True
                async with service.database.transaction() as other:
                    await other.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid() "
                        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                    )
            return outcomes

        service.relay._producer.send = send_and_die  # type: ignore[method-assign]
        async with service.database.transaction() as tx:
            await outbox.add(tx, [message("case-1", str(n)) for n in range(3)])
        await wait_until_outbox_empty(service)
        assert killed
    records = await read_records(probe_settings, OUTPUT)
    assert [r.value for r in records] == [b"0", b"1", b"2"] * 2
    assert len({dict(r.headers)["ce_id"] for r in records}) == 3


async def test_headers_and_key_count_towards_the_size_limit_of_a_message(probe_settings: RuntimeSettings) -> None:
    long_headers = replace(message("case-1", "x" * 800_000), source="/" + "s" * 200_000)
    async with build_service(probe_settings, ProbeHandler()).running() as service, service.database.transaction() as tx:
        with pytest.raises(Rejected, match="with key and headers exceeds the limit of 1000000 bytes"):
            await outbox.add(tx, [long_headers])
