"""Broker or database are killed, frozen or not started yet: nothing is lost, out of order, or stuck."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from time import monotonic
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import OutOfOrderSequenceNumber

from deploy.embedded import EmbeddedServers
from deploy.embedded.kafka.server import KafkaServer
from shared.contracts.envelope import CloudEventRecord
from shared.runtime.kafka.producer import Producer, abort_producer
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.outbox import outbox
from shared.runtime.process.failures import is_infrastructure
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
    open_probe_sender,
    stored_notes,
)
from tests.support.messaging.cloud_events import cloud_event
from tests.support.messaging.topic_client import read_records
from tests.support.servers.databases import Databases
from tests.support.servers.session_servers import print_progress
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """One broker for the tests of this module, which freeze and kill it."""
    with EmbeddedServers(tmp_path_factory.mktemp("broker"), progress=print_progress, postgres=False) as servers:
        assert servers.kafka
        yield servers.kafka


@pytest.fixture
def broker(own_kafka: KafkaServer) -> KafkaServer:
    """The broker, running, whatever the test before did to it."""
    if own_kafka.process.running:
        own_kafka.process.thaw()
    else:
        own_kafka.start()
    return own_kafka


@pytest.fixture
async def own_broker_settings(broker: KafkaServer, settings: RuntimeSettings) -> RuntimeSettings:
    """Settings for a broker that belongs to the test, with a short send timeout."""
    own = settings.model_copy(update={"kafka_bootstrap_servers": broker.bootstrap_servers, "send_timeout": 1.0})
    await apply_topics(own, [*INPUTS, OUTPUT])
    return own


def message(n: int) -> CloudEventRecord:
    return cloud_event(OUTPUT, f"case-{n % 7}", "noted", f"{n:06}".encode(), "/probe")


async def add_messages(service: Service, numbers: range) -> None:
    async with service.database.transaction() as tx:
        await outbox.add(tx, [message(n) for n in numbers])


async def wait_until_outbox_empty(service: Service, deadline: float = 30) -> None:
    async def empty() -> bool:
        return await count_rows(service, "outbox") == 0

    await wait_for(empty, deadline=deadline, what="an empty outbox")


async def check_topic(settings: RuntimeSettings, total: int) -> None:
    """Every id was sent at least once, and the first copies of each case are in order."""
    first: dict[UUID, tuple[bytes, int]] = {}
    for record in await read_records(settings, OUTPUT):
        first.setdefault(UUID(dict(record.headers)["ce_id"].decode()), (record.key, int(record.value)))
    assert len(first) == total
    for case in {key for key, _ in first.values()}:
        numbers = [number for key, number in first.values() if key == case]
        assert numbers == sorted(numbers)


async def test_relay_sends_everything_after_the_broker_was_frozen_and_killed(
    own_broker_settings: RuntimeSettings, broker: KafkaServer
) -> None:
    async with build_service(own_broker_settings, ProbeHandler()).running() as service:
        await add_messages(service, range(100))
        await wait_until_outbox_empty(service)
        broker.process.freeze()
        await add_messages(service, range(100, 1100))
        await wait_for(lambda: "relay" in service.health.troubles(), what="the send timeout")
        await add_messages(service, range(1100, 1200))
        broker.process.thaw()
        await wait_until_outbox_empty(service)
        await add_messages(service, range(1200, 2200))
        await asyncio.to_thread(broker.kill)
        await wait_for(lambda: "relay" in service.health.troubles())
        await asyncio.to_thread(broker.start)
        await wait_until_outbox_empty(service)
        await add_messages(service, range(2200, 2300))
        await wait_until_outbox_empty(service)
        await wait_for(lambda: "relay" not in service.health.troubles())
    await check_topic(own_broker_settings, 2300)


async def test_a_producer_is_aborted_while_the_broker_is_frozen(own_broker_settings: RuntimeSettings, broker: KafkaServer) -> None:
    """aiokafka's `stop()` waits for the broker without a timeout: abort_producer cancels the private sender task instead."""
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers, enable_idempotence=True, acks="all")
    await producer.start()
    await producer.send_and_wait(f"{own_broker_settings.topic_prefix}{OUTPUT.name}", b"x", key=b"k")
    sender = producer._sender.sender_task
    broker.process.freeze()
    await producer.send(f"{own_broker_settings.topic_prefix}{OUTPUT.name}", b"y", key=b"k")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await producer.flush()
    started = monotonic()
    await abort_producer(producer)
    assert monotonic() - started < 6
    await wait_for(sender.done, what="the end of the sender task")
    broker.process.thaw()


async def test_metadata_updates_are_throttled_while_no_leader_is_known(
    own_broker_settings: RuntimeSettings, broker: KafkaServer, caplog: pytest.LogCaptureFixture
) -> None:
    """aiokafka requests metadata without a pause while a partition of its private cluster metadata has no leader."""
    producer = Producer({"bootstrap_servers": broker.bootstrap_servers}, timeout=20.0)
    topic = f"{own_broker_settings.topic_prefix}{OUTPUT.name}"
    await producer.send([(topic, b"k", b"1", [])])
    await asyncio.to_thread(broker.kill)
    assert producer._current is not None
    cluster = producer._current.client.cluster
    cluster._partitions[topic] = {n: p._replace(leader=-1) for n, p in cluster._partitions[topic].items()}
    producer._timeout = 2.0
    with caplog.at_level(logging.WARNING):
        [outcome] = await producer.send([(topic, b"k", b"2", [])])
    assert isinstance(outcome, TimeoutError)
    assert len([r for r in caplog.records if r.name == "aiokafka" and "update metadata" in r.message]) <= 12


async def test_a_gap_in_the_producers_sequence_ends_with_a_new_producer(probe_settings: RuntimeSettings) -> None:
    """aiokafka counts the sequence of a batch that expires unsent: the broker then refuses every later send as out of order."""
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        await add_messages(service, range(100))
        await wait_until_outbox_empty(service)
        old = service.relay._producer._current
        assert old is not None
        for partition in range(PARTITIONS):
            old._txn_manager.increment_sequence_number(TopicPartition(f"{probe_settings.topic_prefix}{OUTPUT.name}", partition), 1)
        with pytest.raises(OutOfOrderSequenceNumber):
            await old.send_and_wait(
                f"{probe_settings.topic_prefix}{OUTPUT.name}", b"000000", key=b"case-0", headers=message(0).kafka_headers()
            )
        await add_messages(service, range(100, 200))
        await wait_until_outbox_empty(service)
        assert service.relay._producer._current is not old
    await check_topic(probe_settings, 200)


async def test_consumer_continues_after_the_broker_was_restarted(own_broker_settings: RuntimeSettings, broker: KafkaServer) -> None:
    async with build_service(own_broker_settings, ProbeHandler()).running() as service:
        async with open_probe_sender(own_broker_settings) as sender:
            await sender.send_note("case-1", "before")
        await wait_for(lambda: has_notes(service, ["before"]))
        await asyncio.to_thread(broker.kill)
        await wait_for(lambda: "broker" in service.health.troubles(), what="a degraded process")
        await asyncio.to_thread(broker.start)
        async with open_probe_sender(own_broker_settings) as sender:
            await sender.send_note("case-1", "after")
        assert await wait_for(lambda: has_notes(service, ["before", "after"]), deadline=60)


async def test_a_service_started_before_its_broker_waits_and_reports_it(own_broker_settings: RuntimeSettings, broker: KafkaServer) -> None:
    await asyncio.to_thread(broker.stop)
    service = build_service(own_broker_settings, ProbeHandler())
    starting = asyncio.create_task(service.start())
    assert await wait_for(lambda: "no broker answers at" in service.health.troubles().get("consumer", ""))
    assert service.health.is_ready  # what needs no broker is served
    assert not starting.done()
    await asyncio.to_thread(broker.start)
    await starting
    assert await wait_for(lambda: service.health.troubles() == {})
    await service.stop()


async def test_stop_ends_in_time_while_the_broker_is_frozen(own_broker_settings: RuntimeSettings, broker: KafkaServer) -> None:
    service = build_service(own_broker_settings.model_copy(update={"stop_timeout": 6.0}), ProbeHandler())
    await service.start()
    await add_messages(service, range(5))
    await wait_until_outbox_empty(service)
    broker.process.freeze()
    await add_messages(service, range(5, 10))
    started = monotonic()
    await service.stop()
    assert monotonic() - started < 15
    broker.process.thaw()
    survivor = build_service(own_broker_settings, ProbeHandler())
    async with survivor.running():
        await wait_until_outbox_empty(survivor)
    await check_topic(own_broker_settings, 10)


async def test_a_database_killed_under_load_loses_and_repeats_nothing(
    probe_settings: RuntimeSettings, sender: ProbeSender, own_servers: Callable[..., EmbeddedServers]
) -> None:
    servers = await asyncio.to_thread(lambda: own_servers(kafka=False))
    assert servers.postgres
    url = await Databases(servers.database_url).create_migrated()
    own_database = probe_settings.model_copy(update={"database_url": type(probe_settings.database_url)(url)})
    async with build_service(own_database, ProbeHandler()).running() as service:
        for round_number in range(3):
            await sender.send_notes("case-actions", [(f"case-{n % 11}", f"{round_number}-{n}") for n in range(400)])
            await asyncio.to_thread(servers.postgres.kill)
            await asyncio.to_thread(servers.postgres.start)
        await wait_for(lambda: is_settled(service, 1200), deadline=60)
        assert await count_rows(service, "notes") == len(set(await stored_notes(service))) == 1200
        assert await count_rows(service, "dead_letter") == 0
    records = await read_records(own_database, OUTPUT)
    assert len({dict(r.headers)["ce_id"] for r in records}) == 1200


async def is_settled(service: Service, total: int) -> bool:
    try:
        return await count_rows(service, "notes") == total and await count_rows(service, "outbox") == 0
    except Exception as error:
        if not is_infrastructure(error):
            raise
        return False  # the database is starting


async def has_notes(service: Service, expected: list[str]) -> bool:
    return await stored_notes(service) == expected
