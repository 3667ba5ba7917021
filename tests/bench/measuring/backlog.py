"""How many records and messages wait in a running system, by one connection that stays open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.contracts.topics import PARTITIONS
from tests.bench.limits.hops import HOPS
from tests.support.servers.databases import asyncpg_dsn


@dataclass
class Backlog:
    """Unread records of the hops' groups, and rows in the outboxes of a database; none if there is no database."""

    consumer: AIOKafkaConsumer
    admin: AIOKafkaAdminClient
    database: asyncpg.Connection | None
    prefix: str
    services: Sequence[str] = tuple(HOPS)

    async def is_empty(self) -> bool:
        """Whether nothing waits; asked of the topics twice, since a message may move from an outbox to a topic in between."""
        return not await self.unread() and not await self._unsent() and not await self.unread()

    async def unread(self) -> int:
        """Records that no group has committed yet."""
        read = {service: [f"{self.prefix}{topic.name}" for topic in HOPS[service].reads] for service in self.services}
        names = {name for topics in read.values() for name in topics}
        ends = await self.consumer.end_offsets([TopicPartition(name, number) for name in names for number in range(PARTITIONS)])
        left = 0
        for service, topics in read.items():
            committed = await self.admin.list_consumer_group_offsets(f"{self.prefix}{service}")
            done = {partition: max(0, position.offset) for partition, position in committed.items()}
            left += sum(end - done.get(partition, 0) for partition, end in ends.items() if partition.topic in topics)
        return left

    async def _unsent(self) -> bool:
        if self.database is None:
            return False
        parts = " OR ".join(f"EXISTS (SELECT FROM {service}.outbox)" for service in self.services)
        return bool(await self.database.fetchval(f"SELECT {parts}"))


@asynccontextmanager
async def open_backlog(
    bootstrap_servers: str, database_url: str | None, prefix: str, services: Sequence[str] = tuple(HOPS)
) -> AsyncIterator[Backlog]:
    """The backlog of one system for the length of a block."""
    consumer, admin = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers), AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    database = await asyncpg.connect(asyncpg_dsn(database_url)) if database_url else None
    await consumer.start()
    await admin.start()
    try:
        yield Backlog(consumer, admin, database, prefix, services)
    finally:
        await consumer.stop()
        await admin.close()
        if database is not None:
            await database.close()
