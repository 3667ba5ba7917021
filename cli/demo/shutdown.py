"""Stops the services in the order of the data flow, each after it has read all input and emptied its outbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from click import ClickException

from cli.database import connect
from cli.demo.month_figures import count_pending_rows
from cli.service_names import SERVICES
from cli.stack.stack import STOP_TIMEOUT_SECONDS, Stack
from shared.contracts.topics import TOPICS, Topic
from shared.runtime.kafka.connection import options_for

STEP_TIMEOUT_SECONDS = 45.0
_CASE_COLUMNS = {"intake": ("intake.complaint", "case_id"), "triage": ("triage.known", "case_id"), "sla": ("sla.cases", "id")}
"""Service → the table with a row for each case, and its column with the case's id."""
_UNPLANNED = """
WITH request AS (
    SELECT case_id, convert_from(body, 'UTF8')::jsonb AS body FROM sla.ledger WHERE type = 'notification_requested' AND case_id = ANY($1)
)
SELECT count(*) FROM request WHERE NOT body ? 'merged_into' AND (case_id, body ->> 'notification') NOT IN (
    SELECT case_id, notification FROM notify.delivery
)
"""


async def shut_down_in_order(stack: Stack, prefix: str, accepted: Collection[str], step_timeout: float = STEP_TIMEOUT_SECONDS) -> None:
    """Wait until each service has processed everything, then stop it.

    Raises `ClickException` naming the step that takes longer than `step_timeout` seconds.
    """
    wait_for = partial(_wait_for, step_timeout)
    async with connect(stack.environment["DATABASE_URL"]) as connection:
        for service, (table, column) in _CASE_COLUMNS.items():
            await wait_for(partial(_has_all_cases, connection, table, column, accepted), f"every accepted complaint in {table}")
            await wait_for(partial(_has_consumed_inputs, stack, prefix, service), f"{service} to read its topics to their end")
            await asyncio.to_thread(stack.processes[service].stop, STOP_TIMEOUT_SECONDS)
            await wait_for(partial(_nothing_pending, stack, (service,), deliveries=False), f"{service}'s outbox to be empty")
        await wait_for(partial(_all_requests_planned, connection, accepted), "every requested message to be planned")
        await wait_for(partial(_nothing_pending, stack, SERVICES, deliveries=True), "every message to be settled")
        await asyncio.to_thread(stack.processes["notify"].stop, STOP_TIMEOUT_SECONDS)


async def _wait_for(seconds: float, condition: Callable[[], Awaitable[bool]], description: str) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not await condition():  # noqa: ASYNC110 - other processes make it true
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise ClickException(f"waited {seconds:.0f} s in vain for {description}; see the logs of the services") from error


async def _has_all_cases(connection: asyncpg.Connection, table: str, column: str, accepted: Collection[str]) -> bool:
    number = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {column} = ANY($1::text[])", list(accepted))  # noqa: S608 - constants
    return bool(number == len(accepted))


async def _all_requests_planned(connection: asyncpg.Connection, accepted: Collection[str]) -> bool:
    return bool(await connection.fetchval(_UNPLANNED, list(accepted)) == 0)


async def _nothing_pending(stack: Stack, services: Sequence[str], *, deliveries: bool) -> bool:
    return await count_pending_rows(stack.environment["DATABASE_URL"], services, deliveries=deliveries) == 0


async def _has_consumed_inputs(stack: Stack, prefix: str, service: str) -> bool:
    """Whether the service's consumer group has committed the end offsets of its topics."""
    bootstrap = stack.environment["KAFKA_BOOTSTRAP_SERVERS"]
    inputs = [topic for topic in TOPICS.values() if service in topic.consumers and not _is_written_downstream(service, topic)]
    partitions = [TopicPartition(f"{prefix}{topic.name}", number) for topic in inputs for number in range(topic.partitions)]
    consumer = AIOKafkaConsumer(**options_for(bootstrap))
    admin = AIOKafkaAdminClient(**options_for(bootstrap))
    try:
        await consumer.start()
        await admin.start()
        ends = await consumer.end_offsets(partitions)
        committed = await admin.list_consumer_group_offsets(f"{prefix}{service}")
    finally:
        await consumer.stop()
        await admin.close()
    return all(end == 0 or (partition in committed and committed[partition].offset >= end) for partition, end in ends.items())


def _is_written_downstream(service: str, topic: Topic) -> bool:
    """Whether later services write to the topic: they still run when this one stops, so its end moves on."""
    return any(producer in SERVICES and SERVICES.index(producer) > SERVICES.index(service) for producer in topic.producers)
