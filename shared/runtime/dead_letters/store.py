"""Stores dead letters in the transaction of their batch."""

from collections.abc import Sequence

from shared.runtime.database.database import Transaction
from shared.runtime.dead_letters.parking import RECORD_ARRAY_PARAMETERS, RECORD_COLUMNS, record_arrays
from shared.runtime.kafka.record import FailedRecord

_INSERT = f"""
INSERT INTO dead_letter ({RECORD_COLUMNS}, reason)
SELECT {RECORD_COLUMNS}, reason FROM unnest({RECORD_ARRAY_PARAMETERS}, $10::text[]) AS failed ({RECORD_COLUMNS}, reason)
ON CONFLICT ON CONSTRAINT dead_letter_record DO UPDATE SET reason = excluded.reason
RETURNING id
"""  # noqa: S608 - constants


async def insert_dead_letters(tx: Transaction, failed: Sequence[FailedRecord]) -> list[int]:
    """Store the records with their reasons; a record that is read again keeps one letter. Returns the letters' ids."""
    if not failed:
        return []
    # ON CONFLICT DO UPDATE fails when one statement holds the same record twice.
    newest = list({(failure.raw.topic, failure.raw.partition, failure.raw.offset): failure for failure in failed}.values())
    rows = await tx.fetch(_INSERT, *record_arrays([failure.raw for failure in newest]), [failure.reason for failure in newest])
    return [row["id"] for row in rows]
