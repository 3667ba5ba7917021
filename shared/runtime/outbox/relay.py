"""The relay sends the outbox to Kafka; it deletes and sends in one transaction, so a crash repeats messages under the same ids."""

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
# One relay sends a shard at a time. The advisory lock ends with the transaction, so a killed process releases it.
# MATERIALIZED, since PostgreSQL may evaluate an inlined lock function once for each row.
# DELETE with a sorted, limited array of ids: a cursor over ids would skip a lower id that commits later.
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
    """Sends the outbox of one service; a topic that cannot be sent to is held for 5 seconds, the others are sent."""

    def __init__(self, database: Database, settings: RuntimeSettings, health: Health) -> None:
        self._database = database
        self._settings = settings
        self._health = health
        self._producer = Producer(connection_options(settings), settings.send_timeout)
        self._held_until: dict[str, float] = {}
        self._poll_seconds = settings.outbox_poll_ms / 1000

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set, then until the outbox is empty; raises infrastructure errors."""
        self._health.watch("relay", 60.0)
        while not stop.is_set():
            self._health.beat("relay")
            if await self._run_once_holding_topics() < BATCH_MESSAGES:
                await self._wait()
        self._health.unwatch("relay")
        await self.drain()

    async def drain(self) -> None:
        """Send the rest of the outbox and close the producer; after an error the rest is for the next process."""
        try:
            while await self._run_once_holding_topics():
                pass
        finally:
            await self._producer.close()

    async def _run_once_holding_topics(self) -> int:
        """One cycle; returns the number of sent messages. After an error the transaction was rolled back and the rows are still there."""
        try:
            sent = await self.run_once()
        except UnsendableTopicError as error:
            self._held_until[error.topic] = monotonic() + TOPIC_HOLD_SECONDS
            self._health.set_trouble("relay", str(error))
            log.warning("topic is held", topic=error.topic, reason=error.reason)
            metrics.RELAY_CYCLES.labels("held").inc()
            return BATCH_MESSAGES  # a full batch: run again at once, for the other topics
        except Exception:
            metrics.RELAY_CYCLES.labels("failed").inc()
            raise
        if not self._held_until:
            self._health.clear_trouble("relay")
        metrics.RELAY_CYCLES.labels("sent" if sent else "empty").inc()
        return sent

    async def run_once(self) -> int:
        """Send about BATCH_MESSAGES of each shard that no other process is sending; returns the number of sent messages."""
        sent = 0
        for shard in range(self._settings.outbox_shards):
            sent += await self._send_shard(shard)
        metrics.RELAY_MESSAGES.inc(sent)
        return sent

    async def _send_shard(self, shard: int) -> int:
        async with self._database.transaction() as tx:
            rows = await tx.fetch(_TAKE_SHARD_ROWS, self._lock_id(shard), shard, self._held_topics(), BATCH_MESSAGES)
            rows.sort(key=lambda row: row["id"])  # RETURNING has no order
            records = [record for row in rows for record in self._producer_records(row)]
            if records:
                await self._producer.send(records)
        return len(records)

    def _lock_id(self, shard: int) -> int:
        return (zlib.crc32(f"{self._database.schema}.relay".encode()) << 8) | shard

    def _held_topics(self) -> list[str]:
        now = monotonic()
        self._held_until = {topic: until for topic, until in self._held_until.items() if until > now}
        metrics.RELAY_HELD_TOPICS.set(len(self._held_until))
        return [topic.removeprefix(self._settings.topic_prefix) for topic in self._held_until]

    def _producer_records(self, row: asyncpg.Record) -> Iterator[ProducerRecord]:
        topic = f"{self._settings.topic_prefix}{row['topic']}"
        for key, headers, body in zip(row["keys"], row["headers"], row["bodies"], strict=True):
            yield topic, key.encode(), body, [(name, value.encode()) for name, value in orjson.loads(headers)]

    async def _wait(self) -> None:
        """Wait for a commit in this process that added messages, at most the poll interval: messages of other processes need polling."""
        min_poll_seconds = self._settings.outbox_poll_ms / 1000
        try:
            async with asyncio.timeout(self._poll_seconds):
                await self._database.outbox_added.wait()
        except TimeoutError:
            self._poll_seconds = max(min_poll_seconds, min(2 * self._poll_seconds, _MAX_POLL_SECONDS))
            return
        self._poll_seconds = min_poll_seconds
        self._database.outbox_added.clear()
