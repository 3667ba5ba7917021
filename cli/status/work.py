"""Waiting work of the services: records not read, messages not sent, timers, dead letters."""

import asyncio
from contextlib import suppress
from datetime import datetime

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from sqlalchemy.exc import DBAPIError

from cli.service_names import SERVICES
from cli.status.model import LastError, WorkStatus
from shared.contracts.topics import TOPICS
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.kafka.connection import connection_options
from shared.runtime.process.failures import redacted_reason
from shared.runtime.process.settings import RuntimeSettings

LETTERS = 5
_BROKER_SECONDS = 10.0
_WORK = """
SELECT (SELECT coalesce(sum(messages), 0) FROM outbox)::int AS outbox_messages,
    (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM outbox)::float8 AS outbox_oldest_seconds,
    (SELECT count(*) FROM timer)::int AS timers, (SELECT count(*) FROM timer WHERE due_at <= $1)::int AS timers_due,
    (SELECT min(due_at) FROM timer WHERE due_at <= $1) AS oldest_due,
    (SELECT count(*) FROM dead_letter WHERE settled_at IS NULL)::int AS dead_letters,
    (SELECT count(*) FROM parked)::int AS parked_cases
"""
_LETTERS = "SELECT id, topic, reason, created_at FROM dead_letter WHERE settled_at IS NULL ORDER BY created_at DESC LIMIT $1"


async def work_statuses(settings: RuntimeSettings, now: datetime, troubles: list[str]) -> tuple[dict[str, WorkStatus], list[LastError]]:
    """The work of each service and its latest dead letters; `troubles` gets what could not be read."""
    work = {service: WorkStatus() for service in SERVICES}
    errors: list[LastError] = []
    lags = await _lags(settings, troubles)
    for service in SERVICES:
        stored, letters = await _stored(settings, service, now, troubles)
        work[service] = stored.model_copy(update={"lag_records": lags.get(service)})
        errors += letters
    return work, errors


async def _stored(settings: RuntimeSettings, service: str, now: datetime, troubles: list[str]) -> tuple[WorkStatus, list[LastError]]:
    clock = Clock.parse(settings.clock, settings.environment)
    database = Database(settings, service)
    try:
        async with database.transaction() as tx:
            row = await tx.fetchrow(_WORK, clock.to_domain(now))
            letters = await tx.fetch(_LETTERS, LETTERS)
    except (DBAPIError, asyncpg.PostgresError, OSError, TimeoutError) as error:
        troubles.append(f"the database of {service} cannot be read ({redacted_reason(error)}): check DATABASE_URL, and that it runs")
        return WorkStatus(), []
    finally:
        await database.close()
    figures = dict(row or {})
    oldest = figures.pop("oldest_due", None)
    behind = max(0.0, -clock.seconds_until(oldest)) if oldest is not None else 0.0
    errors = [
        LastError(at=each["created_at"].isoformat(), service=service, source=f"dead letter {service}:{each['id']}", text=each["reason"])
        for each in letters
    ]
    return WorkStatus(**figures, timers_behind_seconds=round(behind, 1)), errors


async def _lags(settings: RuntimeSettings, troubles: list[str]) -> dict[str, dict[str, int]]:
    """Records that the group of each service has not read, by topic."""
    options = connection_options(settings)
    consumer = AIOKafkaConsumer(client_id="jiesu-status", enable_auto_commit=False, **options)
    admin = AIOKafkaAdminClient(client_id="jiesu-status", **options)
    try:
        async with asyncio.timeout(_BROKER_SECONDS):
            await consumer.start()
            await admin.start()
            return {service: await _lag(consumer, admin, settings.topic_prefix, service) for service in SERVICES}
    except (KafkaError, OSError, TimeoutError) as error:
        troubles.append(f"the broker {settings.kafka_bootstrap_servers} cannot be asked ({type(error).__name__}): check that it runs")
        return {}
    finally:
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(2.0):
                await consumer.stop()
                await admin.close()


async def _lag(consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient, prefix: str, service: str) -> dict[str, int]:
    topics = {f"{prefix}{topic.name}": topic for topic in TOPICS.values() if service in topic.consumers}
    partitions = [TopicPartition(name, number) for name, topic in topics.items() for number in range(topic.partitions)]
    ends = await consumer.end_offsets(partitions)
    beginnings = await consumer.beginning_offsets(partitions)
    committed = await admin.list_consumer_group_offsets(f"{prefix}{service}")
    lags = {topic.name: 0 for topic in topics.values()}
    for partition, end in ends.items():
        # The broker may have deleted what a group that was away for long has not read.
        read = max(committed[partition].offset if partition in committed else 0, beginnings[partition])
        lags[topics[partition.topic].name] += max(0, end - read)
    return lags
