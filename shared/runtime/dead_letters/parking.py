"""Parked cases: while a dead letter of a case is not settled, the later records of the case wait in order."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from shared.runtime.database.database import Transaction
from shared.runtime.kafka.record import RawRecord, ReceivedRecord, headers_from_json

RECORD_COLUMNS = "topic, partition, kafka_offset, key, raw_key, headers, body, timestamp_ms, timestamp_type"
RECORD_ARRAY_PARAMETERS = (
    "$1::text[], $2::int[], $3::bigint[], $4::text[], $5::bytea[], $6::text[], $7::bytea[], $8::bigint[], $9::smallint[]"
)
# The release applies waiting records in the order of their ids, so they must be inserted in the order of the batch.
_INSERT_WAITING = f"""
INSERT INTO waiting ({RECORD_COLUMNS})
SELECT {RECORD_COLUMNS} FROM unnest({RECORD_ARRAY_PARAMETERS}) WITH ORDINALITY AS record ({RECORD_COLUMNS}, position)
ORDER BY position
ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants


def record_arrays(records: Sequence[RawRecord]) -> tuple[list[object], ...]:
    """The records as one array for each column, for `unnest`."""
    return (
        [r.topic for r in records],
        [r.partition for r in records],
        [r.offset for r in records],
        [r.key for r in records],
        [r.raw_key for r in records],
        [r.headers_json() for r in records],
        [r.body for r in records],
        [r.timestamp_ms for r in records],
        [r.timestamp_type for r in records],
    )


def record_from_row(row: Mapping[str, Any]) -> RawRecord:
    """A record from a row with RECORD_COLUMNS."""
    return RawRecord(
        topic=row["topic"],
        partition=row["partition"],
        offset=row["kafka_offset"],
        timestamp_ms=row["timestamp_ms"],
        timestamp_type=row["timestamp_type"],
        key=row["key"],
        raw_key=row["raw_key"],
        body=row["body"],
        headers=headers_from_json(row["headers"]),
    )


async def parked_keys(tx: Transaction, keys: Collection[str]) -> set[str]:
    """The keys whose case is parked. FOR SHARE: none of them is released before the transaction ends."""
    if not keys:
        return set()
    # Sorted, as all row locks are: two batches that lock the same keys in different order would deadlock.
    rows = await tx.fetch("SELECT key FROM parked WHERE key = ANY($1::text[]) ORDER BY key FOR SHARE", sorted(keys))
    return {row["key"] for row in rows}


async def park(tx: Transaction, key: str, letter_id: int) -> None:
    """Park the case behind a dead letter; a case that is parked already keeps its letter."""
    await tx.execute("INSERT INTO parked (key, dead_letter_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", key, letter_id)


async def insert_waiting(tx: Transaction, records: Sequence[ReceivedRecord]) -> None:
    """Store records of parked cases, in order; a record that is read again is stored once."""
    if records:
        await tx.execute(_INSERT_WAITING, *record_arrays([record.raw for record in records]))
