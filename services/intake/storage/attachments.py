"""Reads and writes what is known of stored attachments (table `attachment`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.runtime.database.database import Transaction

_UPSERT = """
INSERT INTO attachment (sha256, media_type, size, source) VALUES ($1, $2, $3, $4)
ON CONFLICT (sha256) DO UPDATE SET media_type = EXCLUDED.media_type
"""

_STORED_BEFORE = """
SELECT sha256, stored_at FROM attachment WHERE stored_at < $1 AND sha256 > $2 AND erased_at IS NULL ORDER BY sha256 LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """A stored content; after its erasure only the row remains, which says when and why."""

    sha256: str
    media_type: str
    size: int
    source: str
    stored_at: datetime
    erased_at: datetime | None
    erased_because: str


async def upsert(tx: Transaction, sha256: str, media_type: str, size: int, source: str) -> None:
    """Record a content as stored; `source` is who sent it first."""
    await tx.execute(_UPSERT, sha256, media_type, size, source)


async def find(tx: Transaction, sha256: str) -> AttachmentRow | None:
    """The row of a content."""
    row = await tx.fetchrow("SELECT * FROM attachment WHERE sha256 = $1", sha256)
    return None if row is None else AttachmentRow(**dict(row))


async def mark_erased(tx: Transaction, sha256: str, because: str) -> bool:
    """Record the erasure; False for a content that is not stored."""
    done = await tx.execute(
        "UPDATE attachment SET erased_at = now(), erased_because = $2 WHERE sha256 = $1 AND erased_at IS NULL", sha256, because
    )
    return done.endswith(" 1")


async def find_erased(tx: Transaction, digests: Sequence[str]) -> dict[str, str]:
    """Those of the contents that were erased, with the reason."""
    rows = await tx.fetch("SELECT sha256, erased_because FROM attachment WHERE sha256 = ANY($1::text[]) AND erased_at IS NOT NULL", digests)
    return {row["sha256"]: row["erased_because"] for row in rows}


async def list_stored(tx: Transaction, after: str, limit: int) -> list[str]:
    """The digests of contents that are stored, in order, after a digest."""
    rows = await tx.fetch("SELECT sha256 FROM attachment WHERE sha256 > $1 AND erased_at IS NULL ORDER BY sha256 LIMIT $2", after, limit)
    return [row["sha256"] for row in rows]


async def list_stored_before(tx: Transaction, before: datetime, after: str, limit: int) -> list[tuple[str, datetime]]:
    """Digest and instant of contents that were stored before an instant, in the order of their digests, after a digest."""
    rows = await tx.fetch(_STORED_BEFORE, before, after, limit)
    return [(row["sha256"], row["stored_at"]) for row in rows]
