"""Bringing the demo to rest: every input read, every outbox empty, every message settled, then the services stopped in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import partial

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from click import ClickException

from cli.database import connect
from cli.demo.month_figures import count_pending_rows
from cli.service_names import SERVICES
from cli.stack.stack import Stack
from shared.contracts.topics import TOPICS

STEP_TIMEOUT_SECONDS = 45.0
_REQUESTED = "SELECT count(*) FROM sla.ledger WHERE type = 'notification_requested'"
_PLANNED = "SELECT count(DISTINCT (case_id, notification)) FROM notify.delivery WHERE case_id NOT LIKE 'duty:%'"


async def shut_down_in_order(stack: Stack, prefix: str, accepted: Collection[str]) -> None:
    """Wait for each service to have done its part, then stop it; raises `ClickException` naming what does not come to an end."""
    async with connect(stack.environment["DATABASE_URL"]) as connection:
        for service, table in (("intake", "intake.complaint"), ("triage", "triage.known"), ("sla", "sla.cases")):
            await _wait_for(partial(_has_all_cases, connection, table, accepted), f"every accepted complaint in {table}")
            await _wait_for(partial(_has_consumed_inputs, stack, prefix, service), f"{service} to read its topics to their end")
            await asyncio.to_thread(stack.processes[service].stop, 20)
            await _wait_for(partial(_nothing_pending, stack, (service,), deliveries=False), f"{service}'s outbox to be empty")
        await _wait_for(lambda: _all_requests_planned(connection), "every requested message to be planned")
        await _wait_for(lambda: _nothing_pending(stack, SERVICES, deliveries=True), "every message to be settled")
        await asyncio.to_thread(stack.processes["notify"].stop, 20)


async def _wait_for(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(STEP_TIMEOUT_SECONDS):
            while not await condition():  # noqa: ASYNC110  # what is waited for happens in other processes
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise ClickException(f"waited {STEP_TIMEOUT_SECONDS:.0f} s in vain for {what}; see the logs of the services") from error


async def _has_all_cases(connection: asyncpg.Connection, table: str, accepted: Collection[str]) -> bool:
    column = "id" if table == "sla.cases" else "case_id"
    found = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {column} = ANY($1::text[])", list(accepted))  # noqa: S608
    return bool(found == len(accepted))


async def _all_requests_planned(connection: asyncpg.Connection) -> bool:
    return bool(await connection.fetchval(_REQUESTED) == await connection.fetchval(_PLANNED))


async def _nothing_pending(stack: Stack, services: tuple[str, ...], *, deliveries: bool) -> bool:
    return await count_pending_rows(stack.environment["DATABASE_URL"], services, deliveries=deliveries) == 0


async def _has_consumed_inputs(stack: Stack, prefix: str, service: str) -> bool:
    """Whether the service's group has committed the ends of all its topics."""
    bootstrap = stack.environment["KAFKA_BOOTSTRAP_SERVERS"]
    inputs = [topic for topic in TOPICS.values() if service in topic.consumers and not _written_downstream(service, topic.producers)]
    partitions = [TopicPartition(f"{prefix}{topic.name}", number) for topic in inputs for number in range(topic.partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await consumer.start()
    await admin.start()
    try:
        ends = await consumer.end_offsets(partitions)
        committed = await admin.list_consumer_group_offsets(f"{prefix}{service}")
    finally:
        await consumer.stop()
        await admin.close()
    return all(end == 0 or (partition in committed and committed[partition].offset >= end) for partition, end in ends.items())


def _written_downstream(service: str, producers: tuple[str, ...]) -> bool:
    """Whether a topic is written by services further down, which are still at work when this one stops."""
    return any(each in SERVICES and SERVICES.index(each) > SERVICES.index(service) for each in producers)
