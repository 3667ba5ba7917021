"""Reads and writes table `delivery_part`: the providers' ids of sent parts, and the statuses of their receipts.

A receipt may come before the id is stored, as some gateways report within milliseconds: each side inserts the row or completes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.runtime.database.database import Transaction

# A carrier may use an id again: what was reported of the earlier part does not hold for the new one.
_ADD_SENT = """
INSERT INTO delivery_part AS part (provider, reference, delivery)
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[]) AS new (provider, reference, delivery) ORDER BY provider, reference
ON CONFLICT (provider, reference) DO UPDATE SET delivery = excluded.delivery,
    status = CASE WHEN part.delivery IS NULL OR part.delivery = excluded.delivery THEN part.status ELSE '' END,
    code = CASE WHEN part.delivery IS NULL OR part.delivery = excluded.delivery THEN part.code ELSE '' END
RETURNING part.delivery, part.status
"""
# The first final status stays: gateways repeat receipts, some with another status after the validity period.
_ADD_REPORTED = """
INSERT INTO delivery_part AS part (provider, reference, status, code) VALUES ($1, $2, $3, $4)
ON CONFLICT (provider, reference) DO UPDATE SET
    status = CASE WHEN part.status = '' THEN excluded.status ELSE part.status END,
    code = CASE WHEN part.status = '' THEN excluded.code ELSE part.code END
RETURNING part.delivery
"""
_STATUSES = "SELECT status, code FROM delivery_part WHERE delivery = $1 ORDER BY reference"
_PRUNE = """
DELETE FROM delivery_part WHERE (provider, reference) IN (
    SELECT provider, reference FROM delivery_part WHERE created_at < $1 ORDER BY created_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class SentPart:
    """A part that a provider accepted under its own id."""

    provider: str
    reference: str
    delivery: UUID


async def add_sent_parts(tx: Transaction, parts: Sequence[SentPart]) -> set[UUID]:
    """Store the ids of sent parts; returns the deliveries that have receipts already."""
    unique = {(part.provider, part.reference): part for part in parts}
    if not unique:
        return set()
    rows = await tx.fetch(
        _ADD_SENT,
        [part.provider for part in unique.values()],
        [part.reference for part in unique.values()],
        [part.delivery for part in unique.values()],
    )
    return {row["delivery"] for row in rows if row["status"]}


async def add_reported_status(tx: Transaction, provider: str, reference: str, status: str, code: str) -> UUID | None:
    """Store the status of a part from its receipt; returns its delivery, None while the part's id is not stored."""
    delivery: UUID | None = await tx.fetchval(_ADD_REPORTED, provider, reference, status, code)
    return delivery


async def part_statuses(tx: Transaction, delivery: UUID) -> list[tuple[str, str]]:
    """Status and code of each part; the status is empty before its receipt."""
    return [(row["status"], row["code"]) for row in await tx.fetch(_STATUSES, delivery)]


async def prune_parts(tx: Transaction, before: datetime) -> int:
    """Delete up to 1,000 parts that were stored before an instant; returns their number."""
    return int((await tx.execute(_PRUNE, before)).split()[-1])
