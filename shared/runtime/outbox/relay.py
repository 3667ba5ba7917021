"""Carries the outbox to Kafka: one owner a shard, delete and send in one transaction, the same ids again after a crash."""

import asyncio
import zlib
from collections.abc import Iterator

import asyncpg
import orjson
import structlog

from shared.runtime.clock import monotonic
from shared.runtime.database.database import Database
from shared.runtime.kafka.connection import connection_options
from shared.runtime.kafka.producer import Producer, ProducerRecord, UnsendableTopicError
from shared.runtime.process import metrics
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings

BATCH_MESSAGES = 1500
TOPIC_HOLD_SECONDS = 5.0
_MAX_POLL_SECONDS = 1.0
# The lock ends with the transaction, so a killed owner frees it; what it sent will be sent again under the same ids.
_TAKE_SHARD_ROWS = """
WITH owner AS MATERIALIZED (SELECT pg_try_advisory_xact_lock($1) AS mine)
DELETE FROM outbox WHERE (SELECT mine FROM owner) AND id = ANY(ARRAY(
    SELECT id FROM (
        SELECT id, sum(messages) OVER (ORDER BY id) - messages AS before FROM (
            SELECT id, messages FROM outbox WHERE shard = $2 AND topic <> ALL($3::text[]) ORDER BY id LIMIT $4) AS oldest) AS counted
    WHERE before < $4))
RETURNING id, topic, keys, headers, bodies
"""
log = structlog.get_logger(__name__)


class Relay:
    """Sends what the outbox holds; a topic at fault is held for a while so that the others go on."""

    def __init__(self, database: Database, settings: RuntimeSettings, health: Health) -> None:
        self._database = database
        self._settings = settings
        self._health = health
        self._producer = Producer(connection_options(settings), settings.send_timeout)
        self._held_until: dict[str, float] = {}
        self._pause = settings.outbox_poll_ms / 1000

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`, then until the outbox is empty; an outage is raised."""
        self._health.watch("relay", 60.0)
        while not stop.is_set():
            self._health.beat("relay")
            if await self._run_once_holding_topics() < BATCH_MESSAGES:
                await self._wait()
        self._health.unwatch("relay")
        await self.drain()

    async def drain(self) -> None:
        """Send what is left, for an orderly stop; if that fails it is raised and the rest is the next process's."""
        try:
            while await self._run_once_holding_topics():
                pass
        finally:
            await self._producer.close()

    async def _run_once_holding_topics(self) -> int:
        """One cycle, saying how many it sent; a topic at fault is held, an outage raised: nothing is lost, the rows are still there."""
        try:
            sent = await self.run_once()
        except UnsendableTopicError as error:
            self._held_until[error.topic] = monotonic() + TOPIC_HOLD_SECONDS
            self._health.set_trouble("relay", str(error))
            log.warning("topic is held", topic=error.topic, reason=error.reason)
            metrics.RELAY_CYCLES.labels("held").inc()
            return BATCH_MESSAGES  # at once again, for the other topics
        except Exception:
            metrics.RELAY_CYCLES.labels("failed").inc()
            raise
        if not self._held_until:
            self._health.clear_trouble("relay")
        metrics.RELAY_CYCLES.labels("sent" if sent else "empty").inc()
        return sent

    async def run_once(self) -> int:
        """Send some `BATCH` messages of each shard that nobody else is sending; returns how many."""
        sent = 0
        for shard in range(self._settings.outbox_shards):
            sent += await self._send_shard(shard)
        metrics.RELAY_MESSAGES.inc(sent)
        return sent

    async def _send_shard(self, shard: int) -> int:
        async with self._database.transaction() as tx:
            rows = await tx.fetch(_TAKE_SHARD_ROWS, self._lock_id(shard), shard, self._held_topics(), BATCH_MESSAGES)
            rows.sort(key=lambda row: row["id"])
            messages = [message for row in rows for message in self._producer_records(row)]
            if messages:
                await self._producer.send(messages)
        return len(messages)

    def _lock_id(self, shard: int) -> int:
        return (zlib.crc32(f"{self._database.schema}.relay".encode()) << 8) | shard

    def _held_topics(self) -> list[str]:
        present = monotonic()
        self._held_until = {topic: until for topic, until in self._held_until.items() if until > present}
        metrics.RELAY_HELD_TOPICS.set(len(self._held_until))
        return [topic.removeprefix(self._settings.topic_prefix) for topic in self._held_until]

    def _producer_records(self, row: asyncpg.Record) -> Iterator[ProducerRecord]:
        topic = f"{self._settings.topic_prefix}{row['topic']}"
        for key, headers, body in zip(row["keys"], row["headers"], row["bodies"], strict=True):
            yield topic, key.encode(), body, [(name, value.encode()) for name, value in orjson.loads(headers)]

    async def _wait(self) -> None:
        """Until a commit in this process wakes us, or for a pause: what another process has left behind has no other way."""
        shortest = self._settings.outbox_poll_ms / 1000
        try:
            async with asyncio.timeout(self._pause):
                await self._database.outbox_added.wait()
        except TimeoutError:
            self._pause = max(shortest, min(2 * self._pause, _MAX_POLL_SECONDS))
            return
        self._pause = shortest
        self._database.outbox_added.clear()
