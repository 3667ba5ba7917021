"""Messages that cannot be sent become dead letters, so that the rest of their topic is sent; a replay adds them to the outbox again."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
import structlog

from shared.runtime.clock import Clock
from shared.runtime.database.database import Transaction
from shared.runtime.dead_letters import store
from shared.runtime.kafka.record import FailedRecord, RawRecord
from shared.runtime.outbox.outbox import shard_of
from shared.runtime.process import metrics
from shared.runtime.process.failures import storable_text

OUTBOX_PSEUDO_TOPIC = "(outbox) "
"""Prefix of the topic in the dead letter of a message that could not be sent: it was never a record of that topic."""
_RESEND = """
INSERT INTO outbox (shard, topic, messages, keys, headers, bodies) VALUES ($1, $2, 1, ARRAY[$3::text], ARRAY[$4::text], ARRAY[$5::bytea])
"""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class UnsendableMessage:
    """A message of the outbox, `headers` as JSON, with the reason why it cannot be sent; `topic` is without the prefix of the settings."""

    topic: str
    key: str
    headers: str
    body: bytes
    reason: str


async def store_unsendable(tx: Transaction, messages: Sequence[UnsendableMessage]) -> None:
    """Store the messages as dead letters; they park no case, since the service that owns the case has already decided."""
    for message in messages:
        # A dead letter is unique by topic, partition and offset: any sequence of the schema supplies a fresh offset.
        offset = await tx.fetchval("SELECT nextval(pg_get_serial_sequence('waiting', 'id'))")
        raw = RawRecord(
            topic=f"{OUTBOX_PSEUDO_TOPIC}{message.topic}",
            partition=-1,
            offset=offset,
            timestamp_ms=int(Clock().real_now().timestamp() * 1000),
            timestamp_type=0,
            key=message.key,
            raw_key=message.key.encode(),
            body=message.body,
            headers=tuple((name, value.encode()) for name, value in orjson.loads(message.headers)),
        )
        [letter] = await store.insert_dead_letters(tx, [FailedRecord(raw, storable_text(message.reason))])
        metrics.UNSENDABLE.labels(metrics.topic_label(message.topic)).inc()
        log.error("message became a dead letter: it cannot be sent", letter=letter, topic=message.topic, reason=message.reason)


async def resend(tx: Transaction, raw: RawRecord) -> None:
    """Add the message of such a dead letter to the outbox again, after all that has been added since."""
    headers = orjson.dumps([(name, (value or b"").decode()) for name, value in raw.headers]).decode()
    topic = raw.topic.removeprefix(OUTBOX_PSEUDO_TOPIC)
    await tx.execute(_RESEND, shard_of(raw.key, tx.database.settings.outbox_shards), topic, raw.key, headers, raw.body or b"")
    tx.after_commit(tx.database.outbox_added.set)
