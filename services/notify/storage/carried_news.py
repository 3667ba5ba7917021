"""Reads and writes table `carried_news`: outcomes of carriers that are not published for all requests that they carry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notify.storage.deliveries import ALL_COLUMNS, DeliveryRow, to_delivery
from shared.runtime.database.database import Transaction


@dataclass(frozen=True, slots=True)
class CarriedNews:
    """One outcome (`sent`, `delivered` or `failed`) of the carrier; `at` is domain time, `acknowledged` as in a receipt."""

    id: int
    carrier: UUID
    status: str
    at: datetime
    reason: str
    acknowledged: bool = False


_ADD = """
INSERT INTO carried_news (carrier, status, at, reason, acknowledged)
SELECT delivery.id, new.status, $4, new.reason, $5
FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS new (id, status, reason, position)
JOIN delivery ON delivery.id = new.id AND delivery.carries ORDER BY new.position
"""
# Only the first of each carrier: what was sent is published as sent before it is published as delivered.
_NEXT = """
SELECT id, carrier, status, at, reason, acknowledged FROM carried_news AS news
WHERE NOT EXISTS (SELECT FROM carried_news AS earlier WHERE earlier.carrier = news.carrier AND earlier.id < news.id)
ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_CARRIER = f"SELECT {ALL_COLUMNS} FROM delivery WHERE id = $1 FOR UPDATE"  # noqa: S608 - constants
_CARRIED = f"SELECT {ALL_COLUMNS} FROM delivery WHERE carrier = $1 AND status = ANY($2) ORDER BY id LIMIT $3 FOR UPDATE"  # noqa: S608 - constants
_SETTLE = """
UPDATE delivery SET status = $2, reason = $3, settled_at = now(), address = '', subject = '', text = '', line = '' WHERE id = ANY($1)
"""
HAS_NEWS = "EXISTS (SELECT FROM carried_news)"
"""SQL condition of a look."""
_OLDEST = "SELECT min(created_at) FROM carried_news"


async def add_news(tx: Transaction, outcomes: Sequence[tuple[UUID, str, str]], at: datetime, *, acknowledged: bool = False) -> None:
    """Add outcomes (delivery, status, reason), in their order; those of deliveries that carry no other request are left out."""
    if outcomes:
        ids, statuses, reasons = (list(column) for column in zip(*outcomes, strict=True))
        await tx.execute(_ADD, ids, statuses, reasons, at, acknowledged)


async def next_news(tx: Transaction) -> CarriedNews | None:
    """The oldest outcome that no other process works on, locked; None if there is none."""
    row = await tx.fetchrow(_NEXT)
    return CarriedNews(**dict(row)) if row else None


async def lock_carrier(tx: Transaction, carrier: UUID) -> DeliveryRow | None:
    """The carrier, locked: a request that joins it meanwhile waits, and adds news of its own."""
    row = await tx.fetchrow(_CARRIER, carrier)
    return to_delivery(row) if row else None


async def carried_deliveries(tx: Transaction, carrier: UUID, statuses: Sequence[str], limit: int) -> list[DeliveryRow]:
    """Up to `limit` requests that the carrier carries and that have one of the statuses."""
    return [to_delivery(row) for row in await tx.fetch(_CARRIED, carrier, list(statuses), limit)]


async def settle_carried(tx: Transaction, ids: Sequence[UUID], status: str, reason: str) -> None:
    """Store the outcome of carried requests."""
    await tx.execute(_SETTLE, list(ids), status, reason)


async def remove_news(tx: Transaction, news_id: int) -> None:
    """Remove an outcome that is published for every carried request."""
    await tx.execute("DELETE FROM carried_news WHERE id = $1", news_id)


async def oldest_news(tx: Transaction) -> datetime | None:
    """When the oldest outcome was added (real time); None if there is none."""
    oldest: datetime | None = await tx.fetchval(_OLDEST)
    return oldest
