"""Carries the outbox to Kafka: one owner a shard, delete and send in one transaction, the same ids again after a crash."""

import asyncio
import zlib
from typing import Any

import asyncpg
import orjson
import structlog

from shared.runtime import metrics
from shared.runtime.clock import monotonic
from shared.runtime.database import Database
from shared.runtime.health import Health
from shared.runtime.kafka import connection_options
from shared.runtime.producer import Outgoing, Producer, UnsendableError
from shared.runtime.settings import RuntimeSettings
from shared.runtime.turns import in_turns

BATCH = 1500
HOLD_SECONDS = 5.0
_TAKE = """
DELETE FROM outbox WHERE id = ANY(ARRAY(
    SELECT id FROM outbox WHERE shard = $1 AND topic <> ALL($2::text[]) ORDER BY id LIMIT $3))
RETURNING id, topic, key, headers, body
"""
log = structlog.get_logger(__name__)


class Relay:
    """Sends what the outbox holds; a topic at fault is held for a while so that the others go on."""

    def __init__(self, database: Database, settings: RuntimeSettings, health: Health) -> None:
        self._database = database
        self._settings = settings
        self._health = health
        self._producer = Producer(connection_options(settings), settings.send_timeout)
        self._held: dict[str, float] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`, then until the outbox is empty; an outage is raised."""
        self._health.watch("relay", 60.0)
        while not stop.is_set():
            self._health.beat("relay")
            if await self._cycle() < BATCH:
                await self._wait()
        self._health.forget("relay")
        await self.drain()

    async def drain(self) -> None:
        """Send what is left, for an orderly stop; if that fails it is raised and the rest is the next process's."""
        try:
            while await self._cycle():
                pass
        finally:
            await self._producer.close()

    async def _cycle(self) -> int:
        """One cycle; a topic at fault is held, an outage raised: nothing is lost, the rows are still there."""
        try:
            sent = await self.cycle()
        except UnsendableError as error:
            self._held[error.topic] = monotonic() + HOLD_SECONDS
            self._health.set("relay", str(error))
            log.warning("topic is held", topic=error.topic, reason=error.why)
            metrics.RELAY_CYCLES.labels("held").inc()
            return 1
        except Exception:
            metrics.RELAY_CYCLES.labels("failed").inc()
            raise
        if not self._held:
            self._health.clear("relay")
        metrics.RELAY_CYCLES.labels("sent" if sent else "empty").inc()
        return sent

    async def cycle(self) -> int:
        """Send up to `BATCH` messages of each shard that nobody else is sending; returns how many."""
        sent = 0
        for shard in range(self._settings.outbox_shards):
            sent += await self._shard(shard)
        metrics.RELAY_SENT.inc(sent)
        return sent

    async def _shard(self, shard: int) -> int:
        # The lock ends with the transaction, so a killed owner frees it; what it sent will be sent again under the same ids.
        async with self._database.transaction() as tx:
            if not await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", self._lock(shard)):
                return 0
            rows = await tx.fetch(_TAKE, shard, self._held_topics(), BATCH)
            if rows:
                rows.sort(key=lambda row: row["id"])
                await self._producer.send([self._outgoing(row) async for row in in_turns(rows)])
        return len(rows)

    def _lock(self, shard: int) -> int:
        return (zlib.crc32(f"{self._database.schema}.relay".encode()) << 8) | shard

    def _held_topics(self) -> list[str]:
        present = monotonic()
        self._held = {topic: until for topic, until in self._held.items() if until > present}
        metrics.TOPICS_HELD.set(len(self._held))
        return [topic.removeprefix(self._settings.topic_prefix) for topic in self._held]

    def _outgoing(self, row: asyncpg.Record) -> Outgoing:
        headers: list[Any] = orjson.loads(row["headers"])
        topic = f"{self._settings.topic_prefix}{row['topic']}"
        return topic, row["key"].encode(), row["body"], [(name, value.encode()) for name, value in headers]

    async def _wait(self) -> None:
        """Until a commit in this process wakes us, or for a poll's length: other processes' rows have no other way."""
        try:
            async with asyncio.timeout(self._settings.outbox_poll_ms / 1000):
                await self._database.outbox_added.wait()
        except TimeoutError:
            return
        self._database.outbox_added.clear()
