"""Dead letters as they are written: in the transaction of the batch that they came with."""

from collections.abc import Sequence

from shared.runtime.database.database import Transaction
from shared.runtime.dead_letters.parking import RECORD_ARRAY_PARAMETERS, RECORD_COLUMNS, record_arrays
from shared.runtime.kafka.record import FailedRecord

_INSERT = f"""
INSERT INTO dead_letter ({RECORD_COLUMNS}, reason)
SELECT {RECORD_COLUMNS}, reason FROM unnest({RECORD_ARRAY_PARAMETERS}, $10::text[]) AS bad ({RECORD_COLUMNS}, reason)
ON CONFLICT ON CONSTRAINT dead_letter_record DO UPDATE SET reason = excluded.reason
RETURNING id
"""  # noqa: S608 - constants


async def insert_dead_letters(tx: Transaction, failed: Sequence[FailedRecord]) -> list[int]:
    """Keep the records with their reasons, once however often they are read; returns the letters' ids."""
    if not failed:
        return []
    newest = list({(b.raw.topic, b.raw.partition, b.raw.offset): b for b in failed}.values())
    rows = await tx.fetch(_INSERT, *record_arrays([b.raw for b in newest]), [b.reason for b in newest])
    return [row["id"] for row in rows]
