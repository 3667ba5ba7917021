"""The broker or the database goes away: killed, frozen, not there yet. Nothing is lost, out of order, or stuck for ever."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import OutOfOrderSequenceNumber

from deploy.embedded import EmbeddedServers
from deploy.embedded.kafka.server import KafkaServer
from shared.contracts.envelope import CloudEventRecord
from shared.runtime.clock import uuid7
from shared.runtime.kafka.producer import Producer, abort_producer
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.outbox import outbox
from shared.runtime.process.failures import is_infrastructure
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.integration.runtime.conftest import read_topic
from tests.integration.runtime.probe import INPUTS, OUTPUT, PARTITIONS, ProbeHandler, ProbeSender, build_service, count_rows, stored_notes
from tests.support.waiting import wait_for


@pytest.fixture
async def broker(own_servers: Callable[..., EmbeddedServers]) -> KafkaServer:
    servers = await asyncio.to_thread(lambda: own_servers(postgres=False))
    assert servers.kafka
    return servers.kafka


@pytest.fixture
async def alone(broker: KafkaServer, settings: RuntimeSettings) -> RuntimeSettings:
    """Settings for a broker of the test's own, with impatient sends."""
    mine = settings.model_copy(update={"kafka_bootstrap_servers": broker.bootstrap_servers, "send_timeout": 1.0})
    await apply_topics(mine, [*INPUTS, OUTPUT])
    return mine


def message(n: int) -> CloudEventRecord:
    return CloudEventRecord(
        topic=OUTPUT.name, key=f"case-{n % 7}", id=uuid7(), type="noted", at=datetime.now(UTC), body=f"{n:06}".encode(), source="/probe"
    )


async def tell(service: Service, numbers: range) -> None:
    async with service.database.transaction() as tx:
        await outbox.add(tx, [message(n) for n in numbers])


async def emptied(service: Service, deadline: float = 30) -> None:
    async def empty() -> bool:
        return await count_rows(service, "outbox") == 0

    await wait_for(empty, deadline=deadline, what="the outbox is empty")


async def check_topic(settings: RuntimeSettings, total: int) -> None:
    """Each id at least once, and the first copies of each case in order."""
    first: dict[UUID, tuple[bytes, int]] = {}
    for record in await read_topic(settings, OUTPUT.name):
        first.setdefault(UUID(dict(record.headers)["ce_id"].decode()), (record.key, int(record.value)))
    assert len(first) == total
    for case in {key for key, _ in first.values()}:
        mine = [n for key, n in first.values() if key == case]
        assert mine == sorted(mine)


async def test_the_relay_outlives_a_broker_frozen_and_killed_with_sends_pending(alone: RuntimeSettings, broker: KafkaServer) -> None:
    async with build_service(alone, ProbeHandler()).running() as service:
        await tell(service, range(100))
        await emptied(service)
        broker.process.freeze()
        await tell(service, range(100, 1100))
        await wait_for(lambda: "relay" in service.health.troubles(), what="the outer limit strikes")
        await tell(service, range(1100, 1200))
        broker.process.thaw()
        await emptied(service)
        await tell(service, range(1200, 2200))
        await asyncio.to_thread(broker.kill)
        await wait_for(lambda: "relay" in service.health.troubles())
        await asyncio.to_thread(broker.start)
        await emptied(service)
        await tell(service, range(2200, 2300))
        await emptied(service)
        await wait_for(lambda: "relay" not in service.health.troubles())
    await check_topic(alone, 2300)


async def test_a_producer_can_be_taken_apart_while_the_broker_is_frozen(alone: RuntimeSettings, broker: KafkaServer) -> None:
    """Its own stop() would hang until the broker returns."""
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers, enable_idempotence=True, acks="all")
    await producer.start()
    await producer.send_and_wait(f"{alone.topic_prefix}{OUTPUT.name}", b"x", key=b"k")
    sender = producer._sender.sender_task
    broker.process.freeze()
    await producer.send(f"{alone.topic_prefix}{OUTPUT.name}", b"y", key=b"k")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await producer.flush()
    started = monotonic()
    await abort_producer(producer)
    assert monotonic() - started < 6
    await wait_for(sender.done, what="the sender task has ended")
    broker.process.thaw()


async def test_metadata_is_not_asked_for_in_a_hot_loop_while_no_leader_is_known(
    alone: RuntimeSettings, broker: KafkaServer, caplog: pytest.LogCaptureFixture
) -> None:
    producer = Producer({"bootstrap_servers": broker.bootstrap_servers}, timeout=20.0)
    topic = f"{alone.topic_prefix}{OUTPUT.name}"
    await producer.send([(topic, b"k", b"1", [])])
    await asyncio.to_thread(broker.kill)
    assert producer._current is not None
    cluster = producer._current.client.cluster
    cluster._partitions[topic] = {n: p._replace(leader=-1) for n, p in cluster._partitions[topic].items()}
    producer._timeout = 2.0
    with caplog.at_level(logging.WARNING), pytest.raises(TimeoutError):
        await producer.send([(topic, b"k", b"2", [])])
    assert len([r for r in caplog.records if r.name == "aiokafka" and "update metadata" in r.message]) <= 12


async def test_a_gap_in_the_producers_sequence_is_left_behind_with_the_producer(applied: RuntimeSettings) -> None:
    """What an outage can leave, when a batch expires without a leader: from then on every send is out of order, for ever."""
    async with build_service(applied, ProbeHandler()).running() as service:
        await tell(service, range(100))
        await emptied(service)
        old = service.relay._producer._current
        assert old is not None
        for partition in range(PARTITIONS):
            old._txn_manager.increment_sequence_number(TopicPartition(f"{applied.topic_prefix}{OUTPUT.name}", partition), 1)
        with pytest.raises(OutOfOrderSequenceNumber):
            await old.send_and_wait(f"{applied.topic_prefix}{OUTPUT.name}", b"000000", key=b"case-0", headers=message(0).kafka_headers())
        await tell(service, range(100, 200))
        await emptied(service)
        assert service.relay._producer._current is not old
    await check_topic(applied, 200)


async def test_the_consumer_comes_back_by_itself(alone: RuntimeSettings, broker: KafkaServer) -> None:
    async with build_service(alone, ProbeHandler()).running() as service:
        async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer:
            await ProbeSender(producer, alone.topic_prefix).send_note("case-1", "before")
        await wait_for(lambda: _has(service, ["before"]))
        await asyncio.to_thread(broker.kill)
        await wait_for(lambda: "broker" in service.health.troubles(), what="the process is unready")
        await asyncio.to_thread(broker.start)
        async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer:
            await ProbeSender(producer, alone.topic_prefix).send_note("case-1", "after")
        await wait_for(lambda: _has(service, ["before", "after"]), deadline=60)


async def test_a_service_started_before_its_broker_waits_and_says_so(alone: RuntimeSettings, broker: KafkaServer) -> None:
    await asyncio.to_thread(broker.stop)
    service = build_service(alone, ProbeHandler())
    starting = asyncio.create_task(service.start())
    await wait_for(lambda: "no broker answers at" in service.health.troubles().get("consumer", ""))
    await asyncio.to_thread(broker.start)
    await starting
    await wait_for(lambda: service.health.troubles() == {})
    await service.stop()


async def test_the_stop_is_bounded_while_the_broker_is_frozen(alone: RuntimeSettings, broker: KafkaServer) -> None:
    service = build_service(alone.model_copy(update={"stop_timeout": 6.0}), ProbeHandler())
    await service.start()
    await tell(service, range(5))
    await emptied(service)
    broker.process.freeze()
    await tell(service, range(5, 10))
    started = monotonic()
    await service.stop()
    assert monotonic() - started < 15
    broker.process.thaw()
    survivor = build_service(alone, ProbeHandler())
    async with survivor.running():
        await emptied(survivor)
    await check_topic(alone, 10)


async def test_a_database_killed_under_load_loses_and_repeats_nothing(
    applied: RuntimeSettings, sender: ProbeSender, own_servers: Callable[..., EmbeddedServers]
) -> None:
    servers = await asyncio.to_thread(lambda: own_servers(kafka=False))
    assert servers.postgres
    mine = applied.model_copy(update={"database_url": type(applied.database_url)(servers.database_url)})
    async with build_service(mine, ProbeHandler()).running() as service:
        for round_number in range(3):
            await sender.send_notes("case-actions", [(f"case-{n % 11}", f"{round_number}-{n}") for n in range(400)])
            await asyncio.to_thread(servers.postgres.kill)
            await asyncio.to_thread(servers.postgres.start)
        await wait_for(lambda: _settled(service, 1200), deadline=60)
        assert await count_rows(service, "notes") == len(set(await stored_notes(service))) == 1200
        assert await count_rows(service, "dead_letter") == 0
    told = await read_topic(mine, OUTPUT.name)
    assert len({dict(r.headers)["ce_id"] for r in told}) == 1200


async def _settled(service: Service, total: int) -> bool:
    try:
        return await count_rows(service, "notes") == total and await count_rows(service, "outbox") == 0
    except Exception as error:
        if not is_infrastructure(error):
            raise
        return False  # the database is on its way back


async def _has(service: Service, expected: list[str]) -> bool:
    return await stored_notes(service) == expected
