"""Each record once: its id is claimed in the transaction that carries its effect."""

from collections.abc import Sequence
from datetime import timedelta

from shared.contracts import topics
from shared.runtime.database.database import Database, Transaction
from shared.runtime.kafka.record import ReceivedRecord

_CLAIM = """
INSERT INTO inbox (id, topic)
SELECT id, topic FROM unnest($1::uuid[], $2::text[]) AS claimed (id, topic) ORDER BY id, topic
ON CONFLICT DO NOTHING RETURNING id, topic
"""
_PRUNE = """
DELETE FROM inbox WHERE (id, topic) IN (
    SELECT id, topic FROM inbox WHERE seen_at < now() - $1::interval LIMIT 5000)
"""
_KEEP = timedelta(milliseconds=max(topic.retention_ms for topic in topics.TOPICS.values())) + timedelta(days=1)


async def claim(tx: Transaction, records: Sequence[ReceivedRecord]) -> list[ReceivedRecord]:
    """The records that nobody has handled, in the order given; ids count per topic, so no topic's writer can spend another's ids."""
    if not records:
        return []
    rows = await tx.fetch(_CLAIM, [r.id for r in records], [r.topic for r in records])
    if len(rows) == len(records):
        return list(records)
    new = {(row["id"], row["topic"]) for row in rows}
    fresh: list[ReceivedRecord] = []
    for record in records:
        name = (record.id, record.topic)
        if name in new:
            new.remove(name)
            fresh.append(record)
    return fresh


async def prune(database: Database, max_age: timedelta = _KEEP) -> int:
    """Forget ids older than any record that a topic still holds; returns how many."""
    total = 0
    while True:
        async with database.transaction() as tx:
            gone = int((await tx.execute(_PRUNE, max_age)).split()[-1])
        total += gone
        if gone == 0:
            return total
