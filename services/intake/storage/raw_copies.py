"""Reads, writes and deletes sealed raw copies (table `raw_copy`), in parts of bounded size."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.retention import delete_in_steps

_COLUMNS = ("id", "part", "source", "channel", "reference", "sealed")
_PARTS_IN_A_STEP = 100  # a part holds up to a megabyte: fewer in a transaction than of other tables
_DELETE_OLD = """
DELETE FROM raw_copy WHERE (id, part) IN (
    SELECT id, part FROM raw_copy WHERE kept_at < now() - $1::interval ORDER BY kept_at, id, part LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
_SELECT_HEADS = """
SELECT id, source, channel, reference, kept_at FROM raw_copy
WHERE part = 0 AND kept_at >= $1 AND ($2 = '' OR source = $2) AND ($3 = '' OR channel = $3) AND id > $4
ORDER BY id LIMIT $5
"""
_HAS_LATER = """
SELECT EXISTS (SELECT 1 FROM raw_copy WHERE channel = 'form' AND part = 0 AND source = $1 AND reference = $2 AND id > $3)
"""


@dataclass(frozen=True, slots=True)
class RawHead:
    """The head of a copy, readable without opening it; `id` sorts by the time of keeping."""

    id: str
    source: str
    channel: str
    reference: str
    kept_at: datetime


@dataclass(frozen=True, slots=True)
class SealedPart:
    """One part of a copy; parts count from 0."""

    raw_id: str
    part: int
    source: str
    channel: str
    reference: str
    sealed: str


async def insert_parts(tx: Transaction, parts: Sequence[SealedPart]) -> None:
    """Insert new parts."""
    rows = [(part.raw_id, part.part, part.source, part.channel, part.reference, part.sealed) for part in parts]
    await tx.copy_rows("raw_copy", _COLUMNS, rows)


async def find_head(tx: Transaction, raw_id: str) -> RawHead | None:
    """The head of a copy, None once it has been deleted."""
    row = await tx.fetchrow("SELECT id, source, channel, reference, kept_at FROM raw_copy WHERE id = $1 AND part = 0", raw_id)
    return None if row is None else RawHead(*row.values())


async def find_sealed(tx: Transaction, raw_id: str, part: int) -> str | None:
    """The sealed content of a part, None if it is missing."""
    sealed: str | None = await tx.fetchval("SELECT sealed FROM raw_copy WHERE id = $1 AND part = $2", raw_id, part)
    return sealed


async def find_heads(tx: Transaction, since: datetime, source: str, channel: str, after_id: str, limit: int) -> list[RawHead]:
    """The next copies in the order in which they were kept; empty texts select any source or channel."""
    return [RawHead(*row.values()) for row in await tx.fetch(_SELECT_HEADS, since, source, channel, after_id, limit)]


async def has_later(tx: Transaction, head: RawHead) -> bool:
    """Whether a later copy with the same reference of the same sender was kept; for channel `form`, which has an index for it."""
    return bool(await tx.fetchval(_HAS_LATER, head.source, head.reference, head.id))


async def delete_old(database: Database, retention: timedelta) -> int:
    """Delete parts that are older than the retention, of each copy the first part first; returns how many."""

    async def delete_step(tx: Transaction) -> int:
        return int((await tx.execute(_DELETE_OLD, retention, _PARTS_IN_A_STEP)).split()[-1])

    return await delete_in_steps(database, delete_step)
