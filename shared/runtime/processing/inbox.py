"""The inbox: the id of a record is inserted in the transaction of its effect, so that a repeated record has none."""

from collections.abc import Sequence
from datetime import timedelta

from shared.contracts import topics
from shared.runtime.database.database import Database, Transaction
from shared.runtime.kafka.record import ReceivedRecord

# Sorted: two processes that insert the same ids in different order would deadlock.
_CLAIM = """
INSERT INTO inbox (id, topic)
SELECT id, topic FROM unnest($1::uuid[], $2::text[]) AS claimed (id, topic) ORDER BY id, topic
ON CONFLICT DO NOTHING RETURNING id, topic
"""
_PRUNE = """
DELETE FROM inbox WHERE (id, topic) IN (
    SELECT id, topic FROM inbox WHERE seen_at < now() - $1::interval LIMIT 5000)
"""
_RETENTION = timedelta(milliseconds=max(topic.retention_ms for topic in topics.TOPICS.values())) + timedelta(days=1)


async def claim(tx: Transaction, records: Sequence[ReceivedRecord]) -> list[ReceivedRecord]:
    """The records whose id is new, in order. Ids are unique per topic: a writer of one topic cannot use up ids of another."""
    if not records:
        return []
    rows = await tx.fetch(_CLAIM, [r.id for r in records], [r.topic for r in records])
    if len(rows) == len(records):
        return list(records)
    inserted = {(row["id"], row["topic"]) for row in rows}
    new_records: list[ReceivedRecord] = []
    for record in records:
        if (record.id, record.topic) in inserted:
            inserted.remove((record.id, record.topic))  # the batch may hold the same id twice
            new_records.append(record)
    return new_records


async def prune(database: Database, max_age: timedelta = _RETENTION) -> int:
    """Delete ids older than any record that a topic retains, 5,000 in a transaction; returns their number."""
    total = 0
    while True:
        async with database.transaction() as tx:
            deleted = int((await tx.execute(_PRUNE, max_age)).split()[-1])
        total += deleted
        if deleted == 0:
            return total
