"""Waits until all services are idle: every record consumed, every outbox empty, nothing pending."""

import asyncio
import time
from collections.abc import Collection, Iterable

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from cli.service_names import SERVICES
from shared.contracts.topics import TOPICS
from tests.support.messaging.hostile_records import HOSTILE_PREFIX
from tests.support.servers.databases import asyncpg_dsn

_MOST_COUNTED = 1000
_PENDING_ROWS = {
    **{f"{service}.outbox": f"{service}.outbox" for service in SERVICES},
    **{f"{service}.waiting": f"{service}.waiting WHERE key NOT LIKE '{HOSTILE_PREFIX}%'" for service in SERVICES},
    "sla.held": f"sla.held WHERE case_id NOT LIKE '{HOSTILE_PREFIX}%'",
    "notify.delivery": "notify.delivery WHERE status = 'pending'",
}


async def pending_rows(database_url: str) -> dict[str, int]:
    """Number of pending rows, by table, at most 1,000 of each: to count a long queue costs as much as its work.

    Hostile records may wait behind a parked case for ever.
    """
    connection = await asyncpg.connect(asyncpg_dsn(database_url))
    try:
        return {
            name: int(await connection.fetchval(f"SELECT count(*) FROM (SELECT FROM {rows} LIMIT {_MOST_COUNTED}) AS pending"))
            for name, rows in _PENDING_ROWS.items()
        }
    finally:
        await connection.close()


async def unread_records(bootstrap_servers: str, prefix: str, services: Iterable[str] = SERVICES) -> dict[str, int]:
    """Number of records whose offsets are not committed yet, by service."""
    consumer, admin = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers), AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await consumer.start()
    await admin.start()
    try:
        partitions = [TopicPartition(f"{prefix}{topic.name}", number) for topic in TOPICS.values() for number in range(topic.partitions)]
        ends = await consumer.end_offsets(partitions)
        left = {}
        for service in services:
            read = {f"{prefix}{topic.name}" for topic in TOPICS.values() if service in topic.consumers}
            committed = await admin.list_consumer_group_offsets(f"{prefix}{service}")
            done = {partition: committed[partition].offset if partition in committed else 0 for partition in partitions}
            left[service] = sum(ends[partition] - max(0, done[partition]) for partition in partitions if partition.topic in read)
        return left
    finally:
        await consumer.stop()
        await admin.close()


async def wait_until_idle(
    database_url: str, bootstrap_servers: str, prefix: str, patience_seconds: float, ignored_tables: Collection[str] = frozenset()
) -> None:
    """Wait until nothing is unread or pending; fails with the remaining numbers after `patience_seconds`.

    Checked twice in a row: a record that was just consumed may not have reached the outbox at the first check.
    Rows of `ignored_tables` may remain.
    """

    async def waiting_rows() -> dict[str, int]:
        rows = await pending_rows(database_url)
        return {name: number for name, number in rows.items() if number and name not in ignored_tables}

    end = time.monotonic() + patience_seconds
    quiet = 0
    while quiet < 2:
        left = await waiting_rows()
        # Only then: the clients that each check opens cost the broker more than the load that is waited for.
        if not left:
            unread = await unread_records(bootstrap_servers, prefix)
            left = {name: number for name, number in unread.items() if number} | await waiting_rows()
        quiet = 0 if left else quiet + 1
        assert time.monotonic() < end or not left, f"not idle after {patience_seconds} s; left: {left}"
        await asyncio.sleep(0 if quiet else 0.2)
