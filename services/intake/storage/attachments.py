"""Reads and writes the records of stored attachments (table `attachment`)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.runtime.database.database import Transaction

FORM_SOURCE = "form:"
"""Beginning of `source` for a content that a web form brought: its complaint may never be sent."""
_UPSERT = """
INSERT INTO attachment AS known (sha256, media_type, size, source, permanent) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (sha256) DO UPDATE
SET media_type = excluded.media_type, last_stored_at = now(), permanent = known.permanent OR excluded.permanent
"""
# Sorted, so that no two transactions wait for each other.
_RENEW = """
UPDATE attachment SET last_stored_at = now() WHERE sha256 IN (
    SELECT sha256 FROM attachment WHERE sha256 = ANY($1::text[]) AND erased_at IS NULL ORDER BY sha256 FOR UPDATE) RETURNING sha256
"""
_MARK_PERMANENT = """
UPDATE attachment SET permanent = true WHERE sha256 IN (
    SELECT sha256 FROM attachment WHERE sha256 = ANY($1::text[]) AND NOT permanent ORDER BY sha256 FOR UPDATE)
"""
_UNREGISTERED = "NOT permanent AND erased_at IS NULL AND last_stored_at < now() - $1::interval"

_STORED_BEFORE = """
SELECT sha256, stored_at FROM attachment WHERE stored_at < $1 AND sha256 > $2 AND erased_at IS NULL ORDER BY sha256 LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """A stored content; after its erasure only the row remains, with time and reason.

    `permanent`: stored by another way than a web form, or named by a registered complaint.
    """

    sha256: str
    media_type: str
    size: int
    source: str
    stored_at: datetime
    erased_at: datetime | None
    erased_because: str
    last_stored_at: datetime
    permanent: bool


async def upsert(tx: Transaction, sha256: str, media_type: str, size: int, source: str) -> None:
    """Record a content as stored; the row keeps the `source` that sent it first."""
    await tx.execute(_UPSERT, sha256, media_type, size, source, not source.startswith(FORM_SOURCE))


async def lock(tx: Transaction, sha256: str) -> None:
    """Wait until no other transaction stores or deletes the content; held until the end of the transaction."""
    # A store elsewhere may take longer over a content than a transaction may be idle otherwise.
    await tx.execute("SET LOCAL idle_in_transaction_session_timeout = '120s'")
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('attachment ' || $1, 0))", sha256)


async def renew(tx: Transaction, digests: Collection[str]) -> set[str]:
    """Count those of the contents that are stored as stored now; returns them."""
    return {row["sha256"] for row in await tx.fetch(_RENEW, sorted(digests))}


async def mark_permanent(tx: Transaction, digests: Collection[str]) -> None:
    """Record that a registered complaint names the contents."""
    if digests:
        await tx.execute(_MARK_PERMANENT, sorted(digests))


async def find_unregistered(tx: Transaction, age: timedelta, limit: int) -> list[str]:
    """Contents of web forms that no registered complaint names, last stored longer ago than `age`."""
    rows = await tx.fetch(f"SELECT sha256 FROM attachment WHERE {_UNREGISTERED} ORDER BY sha256 LIMIT $2", age, limit)  # noqa: S608
    return [row["sha256"] for row in rows]


async def delete_unregistered(tx: Transaction, sha256: str, age: timedelta) -> bool:
    """Delete the row of such a content; False for one that was named or stored again in the meantime."""
    done = await tx.execute(f"DELETE FROM attachment WHERE {_UNREGISTERED} AND sha256 = $2", age, sha256)  # noqa: S608
    return done.endswith(" 1")


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
