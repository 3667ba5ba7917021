"""The outbox always drains: what the broker refuses for ever is set aside, what was acknowledged is not sent again."""

from collections.abc import Sequence

import orjson
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from prometheus_client import REGISTRY

from shared.runtime.database.database import Transaction
from shared.runtime.dead_letters import operations
from shared.runtime.kafka.producer import ProducerRecord
from shared.runtime.outbox import outbox
from shared.runtime.outbox.backlog import MAX_AGE_SECONDS, check_backlog, measure_backlog
from shared.runtime.outbox.unsendable import OUTBOX_PSEUDO_TOPIC
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.integration.runtime.outbox.test_relay import message, wait_until_outbox_empty
from tests.integration.runtime.probe_service import OUTPUT, ProbeHandler, build_service, count_rows
from tests.support.messaging.topic_client import read_records
from tests.support.waiting import wait_for

_INSERT = "INSERT INTO outbox (shard, topic, messages, keys, headers, bodies) VALUES (0, $1, $2, $3, $4, $5)"


async def set_topic_limit(settings: RuntimeSettings, size: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        topic = f"{settings.topic_prefix}{OUTPUT.name}"
        resource = ConfigResource(
            ConfigResourceType.TOPIC, topic, {"max.message.bytes": str(size), "message.timestamp.type": "LogAppendTime"}
        )
        await admin.alter_configs([resource])

        async def applied() -> bool:
            [response] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
            entries = {entry[0]: entry[1] for entry in response.resources[0][4]}
            return entries.get("max.message.bytes") == str(size)

        # The broker applies a change some time after it has answered the request.
        await wait_for(applied)
    finally:
        await admin.close()


async def insert_row(tx: Transaction, bodies: list[bytes], headers: str = "[]") -> None:
    keys = [f"case-{number}" for number in range(len(bodies))]
    await tx.execute(_INSERT, OUTPUT.name, len(bodies), keys, [headers] * len(bodies), bodies)


async def open_letters(service: Service) -> list[operations.DeadLetter]:
    async with service.database.transaction() as tx:
        return await operations.list_dead_letters(tx)


async def test_a_message_that_the_broker_refuses_is_set_aside_and_its_topic_goes_on(probe_settings: RuntimeSettings) -> None:
    """Headers that fill the record beyond the broker's limit, in the middle of a row: the neighbours are sent once."""
    too_long = orjson.dumps([("traceparent", "x" * 1_100_000)]).decode()
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        async with service.database.transaction() as tx:
            await tx.execute(
                _INSERT, OUTPUT.name, 3, ["case-1", "case-1", "case-1"], ["[]", too_long, "[]"], [b"before", b"refused", b"after"]
            )
        async with service.database.transaction() as tx:
            await outbox.add(tx, [message("case-2", "later row")])
        await wait_until_outbox_empty(service)
        [letter] = await open_letters(service)
        assert letter.record.topic == f"{OUTBOX_PSEUDO_TOPIC}{OUTPUT.name}"
        assert (letter.record.key, letter.record.body) == ("case-1", b"refused")
        assert "max.message.bytes" in letter.reason
        assert (REGISTRY.get_sample_value("jiesu_outbox_unsendable_messages_total", {"topic": OUTPUT.name}) or 0) >= 1
        assert await count_rows(service, "parked") == 0
    values = [record.value for record in await read_records(probe_settings, OUTPUT)]
    assert sorted(set(values)) == [b"after", b"before", b"later row"]
    assert values.index(b"before") < values.index(b"after")


async def test_small_messages_are_sent_where_the_broker_takes_only_small_batches(probe_settings: RuntimeSettings) -> None:
    await set_topic_limit(probe_settings, 20_000)
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        async with service.database.transaction() as tx:
            await outbox.add(tx, [message("case-1", f"{number:02}" + "x" * 9_000) for number in range(40)])
            await outbox.add(tx, [message("case-1", "y" * 50_000)])
        await wait_until_outbox_empty(service)
        assert [letter.record.body for letter in await open_letters(service)] == [b"y" * 50_000]
    received = [record.value[:2] for record in await read_records(probe_settings, OUTPUT)]
    assert list(dict.fromkeys(received)) == [f"{number:02}".encode() for number in range(40)]


async def test_a_message_is_sent_when_its_dead_letter_is_replayed(probe_settings: RuntimeSettings) -> None:
    await set_topic_limit(probe_settings, 20_000)
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        async with service.database.transaction() as tx:
            await outbox.add(tx, [message("case-1", "y" * 50_000)])
        await wait_until_outbox_empty(service)
        [letter] = await open_letters(service)
        await set_topic_limit(probe_settings, 1_000_000)
        async with service.database.transaction() as tx:
            await operations.request_settlement(tx, letter.id)
        settled = await operations.wait_until_settled(service.database, letter.id, 20)
        assert settled is not None
        assert settled.status == operations.REPLAYED
        await wait_until_outbox_empty(service)
    [record] = await read_records(probe_settings, OUTPUT)
    assert record.value == b"y" * 50_000
    assert dict(record.headers)["ce_type"] == b"noted"


async def test_messages_to_an_absent_topic_are_held_and_then_set_aside(probe_settings: RuntimeSettings) -> None:
    impatient = probe_settings.model_copy(update={"outbox_hold_seconds": 0.0})
    async with build_service(impatient, ProbeHandler()).running() as service:
        async with service.database.transaction() as tx:
            await outbox.add(tx, [message("case-1", "held", "department-17"), message("case-1", "sent")])
        await wait_until_outbox_empty(service)
        [letter] = await open_letters(service)
        assert letter.reason.endswith("department-17: does not exist: run `jiesu topics apply`")
        assert "relay" not in service.health.troubles()
    assert [record.value for record in await read_records(probe_settings, OUTPUT)] == [b"sent"]


async def test_a_backlog_of_large_messages_drains_in_cycles_bounded_by_bytes(probe_settings: RuntimeSettings) -> None:
    """313 MB, as much as once never drained: a cycle counted in messages alone would take all of a topic in one transaction."""
    cycles: list[int] = []
    service = build_service(probe_settings, ProbeHandler())
    send = service.relay._producer.send

    async def measured_send(records: Sequence[ProducerRecord]) -> list[BaseException | None]:
        cycles.append(sum(len(record[2]) for record in records))
        return await send(records)

    service.relay._producer.send = measured_send  # type: ignore[method-assign]
    body = b"x" * 890_000
    async with service.running():
        async with service.database.transaction() as tx:
            for _ in range(88):
                await insert_row(tx, [body] * 4)
        await wait_until_outbox_empty(service)
        assert await count_rows(service, "dead_letter") == 0
    assert max(cycles) <= 8 * 1024 * 1024
    assert len(cycles) < 100
    assert len(await read_records(probe_settings, OUTPUT)) == 352


async def test_readiness_follows_the_age_of_the_oldest_message(probe_settings: RuntimeSettings) -> None:
    held = probe_settings.model_copy(update={"outbox_poll_ms": 3_600_000})
    health = Health()
    async with build_service(held, ProbeHandler()).running() as service, service.database.transaction() as tx:
        await insert_row(tx, [b"x"])
        await check_backlog(tx, health)
        assert health.troubles() == {}
        await tx.execute("UPDATE outbox SET created_at = now() - make_interval(secs => $1)", MAX_AGE_SECONDS + 5)
        await check_backlog(tx, health)
        assert "65 s" in health.troubles()["outbox"]
        await measure_backlog(tx)
        assert REGISTRY.get_sample_value("jiesu_outbox_oldest_age_seconds") == MAX_AGE_SECONDS + 5
        await tx.execute("DELETE FROM outbox")
        await check_backlog(tx, health)
        assert health.troubles() == {}
