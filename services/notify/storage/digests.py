"""Reads and writes digests, and the pace of each recipient (table `recipient_pace`)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter

from services.notify.domain.digests.pacing import RecipientPace
from services.notify.storage.deliveries import ALL_COLUMNS, DeliveryRow, to_delivery
from shared.runtime.database.database import Transaction

PaceKey = tuple[str, str]
"""Recipient and channel."""

_PACE = TypeAdapter(RecipientPace)
# Ordered: two transactions that lock the same recipients cannot deadlock.
_ADD_PACES = """
INSERT INTO recipient_pace (recipient, channel, state)
SELECT recipient, channel, '{}' FROM unnest($1::text[], $2::text[]) AS new (recipient, channel) ORDER BY recipient, channel
ON CONFLICT DO NOTHING
"""
_LOCK_PACES = """
SELECT p.recipient, p.channel, p.state FROM recipient_pace p
JOIN unnest($1::text[], $2::text[]) AS wanted (recipient, channel) USING (recipient, channel)
ORDER BY p.recipient, p.channel FOR UPDATE OF p
"""
_SAVE_PACES = """
UPDATE recipient_pace SET state = new.state FROM unnest($1::text[], $2::text[], $3::text[]) AS new (recipient, channel, state)
WHERE recipient_pace.recipient = new.recipient AND recipient_pace.channel = new.channel
"""
_FIND_THINGS = """
SELECT thing, coalesce(carrier, id) AS carrier FROM delivery
WHERE case_id = ANY($1) AND thing = ANY($2) AND merged <> 'duplicate' AND status <> 'failed'
"""
_LOCK_CARRIERS = "SELECT id, status FROM delivery WHERE id = ANY($1) ORDER BY id FOR UPDATE"
_MARK_CARRIERS = "UPDATE delivery SET carries = true WHERE id = ANY($1) AND NOT carries"
_DUE = f"""
SELECT {ALL_COLUMNS} FROM delivery WHERE status = 'collecting' AND due_at <= $1
ORDER BY priority, due_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - constants
HAS_DUE_DIGESTS = "EXISTS (SELECT FROM delivery WHERE status = 'collecting' AND due_at <= now())"
"""SQL condition of a look."""
_LINES = """
SELECT line, subject, text, count(*) OVER () AS total FROM delivery WHERE carrier = $1 AND merged = 'digest'
ORDER BY priority, created_at, id LIMIT $2
"""
# An urgent request may have joined an ordinary digest that was due sooner than one of its own, or an exempt one.
_CLOSE = """
UPDATE delivery SET status = $2, subject = $3, text = $4, reason = $5,
    priority = (SELECT min(priority) FROM delivery AS carried WHERE carried.carrier = $1),
    any_hour = (SELECT bool_or(any_hour) FROM delivery AS carried WHERE carried.carrier = $1),
    settled_at = CASE WHEN $2 = 'failed' THEN now() END
WHERE id = $1
"""
_OLDEST_DUE = "SELECT channel, min(due_at) AS oldest FROM delivery WHERE status = 'collecting' AND due_at <= $1 GROUP BY channel"


async def lock_paces(tx: Transaction, keys: Collection[PaceKey]) -> dict[PaceKey, RecipientPace]:
    """The pace of each recipient, locked until the commit: two processes must not count the same person apart."""
    ordered = sorted(keys)
    recipients, channels = [key[0] for key in ordered], [key[1] for key in ordered]
    await tx.execute(_ADD_PACES, recipients, channels)
    rows = await tx.fetch(_LOCK_PACES, recipients, channels)
    return {(row["recipient"], row["channel"]): _PACE.validate_json(row["state"]) for row in rows}


async def save_paces(tx: Transaction, paces: Mapping[PaceKey, RecipientPace]) -> None:
    """Store the paces of recipients that `lock_paces` returned."""
    states = [_PACE.dump_json(pace).decode() for pace in paces.values()]
    await tx.execute(_SAVE_PACES, [key[0] for key in paces], [key[1] for key in paces], states)


async def find_things(tx: Transaction, cases: Collection[str], things: Collection[UUID]) -> dict[UUID, UUID]:
    """By thing: the delivery whose message has this content."""
    return {row["thing"]: row["carrier"] for row in await tx.fetch(_FIND_THINGS, list(cases), list(things))}


async def lock_carriers(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, str]:
    """The status of these deliveries, locked until the commit, so that none is closed or settled while a request joins it."""
    return {row["id"]: row["status"] for row in await tx.fetch(_LOCK_CARRIERS, list(ids))}


async def mark_carriers(tx: Transaction, ids: Collection[UUID]) -> None:
    """Mark deliveries whose message carries another request too."""
    await tx.execute(_MARK_CARRIERS, list(ids))


async def due_digests(tx: Transaction, now: datetime, limit: int) -> list[DeliveryRow]:
    """Digests that are due at `now` (real time), locked; those that a request is joining wait for the next call."""
    return [to_delivery(row) for row in await tx.fetch(_DUE, now, limit)]


async def digest_rows(tx: Transaction, digest: UUID, limit: int) -> tuple[Sequence[tuple[str, str, str]], int]:
    """Line, subject and text of the first requests of a digest, urgent ones first, and the number of its requests."""
    rows = await tx.fetch(_LINES, digest, limit)
    return [(row["line"], row["subject"], row["text"]) for row in rows], rows[0]["total"] if rows else 0


async def close_digest(tx: Transaction, digest: UUID, status: str, subject: str, text: str, reason: str = "") -> None:
    """Store the message of a digest: `pending` is sent, `failed` is not."""
    await tx.execute(_CLOSE, digest, status, subject, text, reason)


async def oldest_due_digests(tx: Transaction, now: datetime) -> dict[str, datetime]:
    """By channel: the due instant of the oldest digest that is due and still collecting."""
    return {row["channel"]: row["oldest"] for row in await tx.fetch(_OLDEST_DUE, now)}
