"""Whether the whole of Jiesu has come to rest: all read, all sent, nothing waiting."""

from collections.abc import Iterable

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.contracts.topics import TOPICS
from tests.support.databases import plain

SERVICES = ("intake", "triage", "sla", "notify")
_WAITING = " + ".join(
    [
        *(f"(SELECT count(*) FROM {service}.outbox)" for service in SERVICES),
        "(SELECT count(*) FROM sla.held)",
        "(SELECT count(*) FROM notify.delivery WHERE status = 'pending')",
    ]
)


async def waiting(database_url: str) -> int:
    """Rows that somebody still has to deal with."""
    connection = await asyncpg.connect(plain(database_url))
    try:
        return int(await connection.fetchval(f"SELECT {_WAITING}"))
    finally:
        await connection.close()


async def unread(bootstrap_servers: str, prefix: str, services: Iterable[str] = SERVICES) -> dict[str, int]:
    """Records that each service has not committed yet."""
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
            left[service] = sum(ends[each] - max(0, done[each]) for each in partitions if each.topic in read)
        return left
    finally:
        await consumer.stop()
        await admin.close()


async def at_rest(database_url: str, bootstrap_servers: str, prefix: str) -> bool:
    """Whether nothing moves: looked at twice, since what was read may have just become something to send."""
    for _ in range(2):
        if any((await unread(bootstrap_servers, prefix)).values()) or await waiting(database_url):
            return False
    return True
