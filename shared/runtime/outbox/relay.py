"""The relay sends the outbox to Kafka; it deletes and sends in one transaction, so a crash repeats messages under the same ids."""

import asyncio
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice

import asyncpg
import orjson
import structlog
from aiokafka.errors import ClusterAuthorizationFailedError

from shared.contracts.envelope import TRACEPARENT_HEADER
from shared.runtime.clock import monotonic
from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.looks import IDLE_POLL_SECONDS
from shared.runtime.kafka.connection import connection_options, missing_rule
from shared.runtime.kafka.producer import (
    NotSentError,
    Producer,
    ProducerRecord,
    UnsendableRecordError,
    UnsendableTopicError,
)
from shared.runtime.outbox.outbox import MAX_BYTES_PER_ROW
from shared.runtime.outbox.publish_spans import PublishSpans
from shared.runtime.outbox.unsendable import UnsendableMessage, store_unsendable
from shared.runtime.process import metrics
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.process.waiting import sleep_or_stop, wait_for_any
from shared.runtime.tracing.context import exemplar, valid_traceparent
from shared.runtime.tracing.spans import Tracing

HAS_MESSAGES = "EXISTS (SELECT FROM outbox)"
"""SQL condition of a look."""
BATCH_MESSAGES = 1500
MAX_CYCLE_BYTES = 8 * 1024 * 1024
"""A cycle holds its transaction open: 1,500 messages of a megabyte would never finish within the limits of send and session."""
_FULL_CYCLE_BYTES = (MAX_CYCLE_BYTES - MAX_BYTES_PER_ROW) // 2
"""Below this, the next row would have fitted even if headers took as much as bodies, so the cycle took all there was."""
TOPIC_HOLD_SECONDS = 5.0
# One relay sends a shard at a time. The advisory lock ends with the transaction, so a killed process releases it.
# MATERIALIZED, since PostgreSQL may evaluate an inlined lock function once for each row.
# pg_column_size reads the length of a value that is stored out of line without fetching it.
# DELETE with a sorted, limited array of ids: a cursor over ids would skip a lower id that commits later.
_TAKE_SHARD_ROWS = """
WITH owner AS MATERIALIZED (SELECT pg_try_advisory_xact_lock($1) AS mine)
DELETE FROM outbox WHERE (SELECT mine FROM owner) AND id = ANY(ARRAY(
    SELECT id FROM (
        SELECT id, sum(messages) OVER oldest - messages AS messages_before, sum(bytes) OVER oldest AS bytes, bytes AS own_bytes FROM (
            SELECT id, messages, pg_column_size(headers) + pg_column_size(bodies) AS bytes
            FROM outbox WHERE shard = $2 AND topic <> ALL($3::text[]) ORDER BY id LIMIT $4) AS sized
        WINDOW oldest AS (ORDER BY id)) AS counted
    WHERE messages_before < $4 AND (bytes <= $5 OR bytes = own_bytes)))
RETURNING id, shard, topic, keys, headers, bodies, created_at, extract(epoch FROM now() - created_at)::float8 AS age
"""
# Under their old ids: the messages that were not sent stay before the later ones of their keys.
_KEEP_ROW = """
INSERT INTO outbox (id, shard, topic, messages, keys, headers, bodies, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
log = structlog.get_logger(__name__)


class Relay:
    """Sends the outbox of one service; a topic that cannot be sent to is held for 5 seconds, the others are sent."""

    def __init__(self, database: Database, settings: RuntimeSettings, health: Health, tracing: Tracing | None = None) -> None:
        self._tracing = tracing
        self._database = database
        self._settings = settings
        self._health = health
        # A cycle has to commit what was acknowledged before the database ends its idle transaction.
        total_timeout = settings.idle_in_transaction_timeout / 2
        self._producer = Producer(connection_options(settings), settings.send_timeout, total_timeout)
        self._held_until: dict[str, float] = {}
        self._poll_seconds = settings.outbox_poll_ms / 1000
        self.messages_seen = asyncio.Event()
        """Set it when `HAS_MESSAGES` holds: they can be another process's."""
        self.pause_seconds = 0.0
        """Pause after each cycle, so that messages without hurry are sent, and read by others, in larger batches."""

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set, then until the outbox is empty; raises infrastructure errors, and leaves the rest to the next run."""
        self._health.watch("relay", 60.0)
        try:
            while not stop.is_set():
                self._health.beat("relay")
                if await self._run_once_holding_topics() < BATCH_MESSAGES:
                    if self.pause_seconds:
                        await sleep_or_stop(stop, self.pause_seconds)
                    await self._wait()
            self._health.unwatch("relay")
            while await self._run_once_holding_topics():
                pass
        finally:
            await self._producer.close()

    async def _run_once_holding_topics(self) -> int:
        """One cycle; returns the number of sent messages, BATCH_MESSAGES when the next cycle should follow at once.

        What was acknowledged is committed; after an error the rest is still in the outbox.
        """
        try:
            sent = await self.run_once()
        except UnsendableTopicError as error:
            self._held_until[error.topic] = monotonic() + TOPIC_HOLD_SECONDS
            self._health.set_trouble("relay", str(error))
            log.warning("topic is held", topic=error.topic, reason=error.reason)
            metrics.RELAY_CYCLES.labels("held").inc()
            return BATCH_MESSAGES  # for the other topics
        except NotSentError:
            metrics.RELAY_CYCLES.labels("sent").inc()
            return BATCH_MESSAGES
        except ClusterAuthorizationFailedError as error:
            # A broker refuses the idempotent producer of a user that may write to no topic at all.
            self._health.set_trouble("relay", f"{type(error).__name__}: {missing_rule(self._settings.kafka_username)}")
            metrics.RELAY_CYCLES.labels("failed").inc()
            raise
        except Exception:
            metrics.RELAY_CYCLES.labels("failed").inc()
            raise
        if not self._held_until:
            self._health.clear_trouble("relay")
        metrics.RELAY_CYCLES.labels("sent" if sent else "empty").inc()
        return sent

    async def run_once(self) -> int:
        """Send up to BATCH_MESSAGES and MAX_CYCLE_BYTES of each shard that no other process is sending; returns as `_send_shard`."""
        sent = 0
        for shard in range(self._settings.outbox_shards):
            sent += await self._send_shard(shard)
        return sent

    async def _send_shard(self, shard: int) -> int:
        """Returns the number of sent messages, at least BATCH_MESSAGES after a cycle full of bytes. Raises why some were not sent."""
        async with self._database.transaction() as tx:
            arguments = (self._lock_id(shard), shard, self._held_topics(), BATCH_MESSAGES, MAX_CYCLE_BYTES)
            rows = await tx.fetch(_TAKE_SHARD_ROWS, *arguments)
            rows.sort(key=lambda row: row["id"])  # RETURNING has no order
            publishing = PublishSpans(self._tracing) if self._tracing is not None and self._tracing.is_on else None
            records = [record for row in rows for record in self._producer_records(row, publishing)]
            outcomes = await self._send(records) if records else []
            error = await self._settle_unsent(tx, rows, outcomes)
        if publishing is not None:
            publishing.end(outcomes)
        sent = outcomes.count(None)
        _measure(rows, outcomes)
        if error is not None:
            raise error
        is_full = sum(len(record[2]) for record in records) > _FULL_CYCLE_BYTES
        return max(sent, BATCH_MESSAGES) if is_full else sent

    async def _send(self, records: Sequence[ProducerRecord]) -> list[BaseException | None]:
        started = monotonic()
        outcomes = await self._producer.send(records)
        metrics.RELAY_SECONDS.observe(monotonic() - started)
        return outcomes

    async def _settle_unsent(
        self, tx: Transaction, rows: Sequence[asyncpg.Record], outcomes: Sequence[BaseException | None]
    ) -> BaseException | None:
        """Keep what can be sent later, set aside what cannot; returns an error of what is kept, NotSentError only if there is no other."""
        if all(outcome is None for outcome in outcomes):
            return None
        errors: list[BaseException] = []
        remaining = iter(outcomes)
        for row in rows:
            kept: list[int] = []
            unsendable: list[UnsendableMessage] = []
            for index, outcome in enumerate(islice(remaining, len(row["keys"]))):
                if outcome is None:
                    continue
                if self._is_final(outcome, row["age"]):
                    message = UnsendableMessage(row["topic"], row["keys"][index], row["headers"][index], row["bodies"][index], str(outcome))
                    unsendable.append(message)
                else:
                    kept.append(index)
                    errors.append(outcome)
            if kept:
                columns = ([row[name][index] for index in kept] for name in ("keys", "headers", "bodies"))
                await tx.execute(_KEEP_ROW, row["id"], row["shard"], row["topic"], len(kept), *columns, row["created_at"])
            await store_unsendable(tx, unsendable)
        return min(errors, key=lambda error: isinstance(error, NotSentError), default=None)

    def _is_final(self, outcome: BaseException, age_seconds: float) -> bool:
        """Whether the message is set aside: a record that the broker refuses at once, a topic at fault after `outbox_hold_seconds`."""
        if isinstance(outcome, UnsendableTopicError):
            return age_seconds > self._settings.outbox_hold_seconds
        return isinstance(outcome, UnsendableRecordError)

    def _lock_id(self, shard: int) -> int:
        # Advisory locks belong to the database, which several services may share: so the schema is part of the id.
        return (zlib.crc32(f"{self._database.schema}.relay".encode()) << 8) | shard

    def _held_topics(self) -> list[str]:
        now = monotonic()
        self._held_until = {topic: until for topic, until in self._held_until.items() if until > now}
        metrics.RELAY_HELD_TOPICS.set(len(self._held_until))
        return [topic.removeprefix(self._settings.topic_prefix) for topic in self._held_until]

    def _producer_records(self, row: asyncpg.Record, publishing: PublishSpans | None) -> Iterator[ProducerRecord]:
        topic = f"{self._settings.topic_prefix}{row['topic']}"
        for key, headers, body in zip(row["keys"], row["headers"], row["bodies"], strict=True):
            pairs = orjson.loads(headers)
            if publishing is not None:
                publishing.follow(row["id"], row["topic"], key, pairs, row["created_at"])
            yield topic, key.encode(), body, [(name, value.encode()) for name, value in pairs]

    async def _wait(self) -> None:
        """Wait for a commit in this process that added messages, or a look that saw some of another one, at most the poll interval."""
        # Not LISTEN/NOTIFY: with it PostgreSQL does 2 to 10 times fewer commits (ADR 3).
        min_poll_seconds = self._settings.outbox_poll_ms / 1000
        # What was seen before can have been sent since; what is another process's is seen again.
        self.messages_seen.clear()
        await wait_for_any(self._poll_seconds, self._database.outbox_added, self.messages_seen)
        is_own = self._database.outbox_added.is_set()
        self._poll_seconds = min_poll_seconds if is_own else max(min_poll_seconds, min(2 * self._poll_seconds, IDLE_POLL_SECONDS))
        self._database.outbox_added.clear()


def _measure(rows: Sequence[asyncpg.Record], outcomes: Sequence[BaseException | None]) -> None:
    """Count the messages by topic, and observe how long each row waited; a row holds messages of one commit."""
    remaining = iter(outcomes)
    for row in rows:
        of_row = list(islice(remaining, len(row["keys"])))
        topic = metrics.topic_label(row["topic"])
        sent = of_row.count(None)
        metrics.RELAY_MESSAGES.labels(topic, "sent").inc(sent)
        metrics.RELAY_MESSAGES.labels(topic, "failed").inc(len(of_row) - sent)
        if sent:
            metrics.OUTBOX_WAIT.observe(max(0.0, row["age"]), exemplar(_traceparent(row["headers"][0])))


def _traceparent(headers: str) -> str | None:
    return valid_traceparent(next((value for name, value in orjson.loads(headers) if name == TRACEPARENT_HEADER), None))
