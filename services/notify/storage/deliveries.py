"""Reads, claims and writes table `delivery`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.runtime.database.database import Transaction

URGENT, ORDINARY = 0, 1
"""Priorities: urgent deliveries are claimed first."""
DIGEST_PREFIX = "digest:"
"""A digest has such an id, with the recipient's, in place of a case's."""


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery as stored; its instants are real time.

    `address` is encrypted, `because` is JSON of the request's procedure, version, rule and clause. `fence` rises with every claim.
    `carrier` is the delivery whose message carries this one: a `digest`, or the one that it is a `duplicate` of, by `merged`;
    `carries` marks the carriers. `line` is the line in a digest, `thing` the id of its content for the recipient.
    `any_hour`: quiet hours do not delay the message.
    A digest is `collecting` until it is due.
    `lane` names the peer whose slowness must not delay other lanes; empty for none. `provider` is the id of the one that sent the
    message, or may have sent it; `parts` what its carrier charges.
    """

    id: UUID
    case_id: str
    notification: str
    recipient: str
    channel: str
    template: str
    because: str
    status: str
    due_at: datetime
    address: str
    subject: str
    text: str
    reason: str
    traceparent: str | None
    lane: str = ""
    attempts: int = 0
    fence: int = 0
    first_due_at: datetime | None = None
    priority: int = ORDINARY
    carrier: UUID | None = None
    merged: str = ""
    carries: bool = False
    line: str = ""
    thing: UUID | None = None
    any_hour: bool = False
    provider: str = ""
    parts: int = 0
    acknowledged: bool = False
    """Not stored: taken from the receipt that is being recorded."""

    @property
    def is_digest(self) -> bool:
        """Whether the row is a message for several requests, and itself none of a case."""
        return self.case_id.startswith(DIGEST_PREFIX)


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """The result of an attempt: finally `sent` or `failed`, or `pending` until `due_at`.

    It is discarded if the row's fence is higher: the lease expired, and another process claimed the delivery.
    """

    id: UUID
    fence: int
    status: str
    due_at: datetime
    reference: str = ""
    reason: str = ""
    provider: str = ""
    parts: int = 0
    postponed: bool = False
    """The provider's rate limit delayed it before an attempt was made: the attempt that the claim counted is taken back."""


_COLUMNS = (
    "id, case_id, notification, recipient, channel, template, because, status, due_at, address, subject, text, reason, traceparent, "
    "lane, priority, carrier, merged, carries, line, thing, any_hour"
)
ALL_COLUMNS = f"{_COLUMNS}, attempts, fence, first_due_at, provider, parts"
_INSERT = f"""
INSERT INTO delivery ({_COLUMNS}, first_due_at, settled_at)
SELECT {_COLUMNS}, due_at, CASE WHEN status = 'failed' THEN now() END
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[],
            $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::integer[], $17::uuid[], $18::text[],
            $19::boolean[], $20::text[], $21::uuid[], $22::boolean[]) AS new ({_COLUMNS})
ORDER BY id ON CONFLICT (id) DO NOTHING RETURNING id
"""  # noqa: S608 - constants
# The attempt counts when it is claimed: the message may have been sent by a process that died before it settled.
# A lane at its share is left out before LIMIT, so that 10,000 mails to a slow server do not hide the mails behind them. PostgreSQL has
# no FOR UPDATE beside a window function, hence two steps: a row that is locked and over the share is free again at the commit.
_CLAIM = f"""
WITH load AS (SELECT lane, running FROM unnest($5::text[], $6::int[]) AS load (lane, running)),
waiting AS (
    SELECT id, lane, priority, due_at FROM delivery
    WHERE status = 'pending' AND carrier IS NULL AND channel = $1 AND due_at <= $3
        AND (lane = '' OR lane NOT IN (SELECT lane FROM load WHERE running >= $7))
    ORDER BY priority, due_at LIMIT $2 FOR UPDATE SKIP LOCKED
),
placed AS (SELECT id, lane, row_number() OVER (PARTITION BY lane ORDER BY priority, due_at, id) AS place FROM waiting),
due AS (
    SELECT placed.id FROM placed LEFT JOIN load USING (lane) WHERE placed.lane = '' OR placed.place + coalesce(load.running, 0) <= $7
)
UPDATE delivery SET due_at = $4, attempts = attempts + 1, fence = fence + 1
FROM due WHERE delivery.id = due.id RETURNING {", ".join(f"delivery.{name.strip()}" for name in ALL_COLUMNS.split(","))}
"""  # noqa: S608 - constants
_DEFER = """
UPDATE delivery SET due_at = $3 WHERE id IN (
    SELECT id FROM delivery WHERE status = 'pending' AND carrier IS NULL AND channel = $1 AND due_at <= $2 AND NOT any_hour
    FOR UPDATE SKIP LOCKED)
"""
_LOCK = f"SELECT {ALL_COLUMNS} FROM delivery WHERE id = $1 FOR UPDATE"  # noqa: S608 - constants
# Address and text of a settled delivery are personal data that nothing needs any more.
_SETTLE = """
UPDATE delivery SET status = done.status, due_at = done.due_at, reference = done.reference, reason = done.reason,
    attempts = attempts - done.postponed::int, provider = done.provider, parts = done.parts,
    settled_at = CASE WHEN done.status <> 'pending' THEN now() END,
    address = CASE WHEN done.status = 'pending' THEN address ELSE '' END,
    lane = CASE WHEN done.status = 'pending' THEN lane ELSE '' END,
    subject = CASE WHEN done.status = 'pending' THEN subject ELSE '' END,
    text = CASE WHEN done.status = 'pending' THEN text ELSE '' END,
    line = CASE WHEN done.status = 'pending' THEN line ELSE '' END
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::int[], $9::boolean[])
    AS done (id, fence, status, due_at, reference, reason, provider, parts, postponed)
WHERE delivery.id = done.id AND delivery.fence = done.fence AND delivery.status = 'pending'
RETURNING delivery.id, delivery.carries
"""
# The receipt came before the provider's answer was stored.
_SET_PROVIDER = """
UPDATE delivery SET provider = done.provider, parts = done.parts
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::int[]) AS done (id, fence, provider, parts)
WHERE delivery.id = done.id AND delivery.fence = done.fence AND delivery.status IN ('delivered', 'failed')
"""
_RECORD_RECEIPT = """
UPDATE delivery SET status = $2, reason = $3, settled_at = now(), address = '', lane = '', subject = '', text = '', line = '',
    provider = $4 WHERE id = $1
"""
_BACKLOG = """
SELECT channel, count(*) AS due, min(due_at) AS oldest FROM delivery
WHERE status = 'pending' AND carrier IS NULL AND due_at <= $1 GROUP BY channel
"""
_PRUNE = """
DELETE FROM delivery WHERE id = ANY(
    SELECT id FROM delivery WHERE status <> 'pending' AND settled_at < $1 ORDER BY settled_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
"""


async def stored_ids(tx: Transaction, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the ids that are stored."""
    return {row["id"] for row in await tx.fetch("SELECT id FROM delivery WHERE id = ANY($1)", ids)}


async def insert_deliveries(tx: Transaction, rows: Sequence[DeliveryRow]) -> set[UUID]:
    """Insert deliveries and return the ids of the new ones; a stored one stays as it is."""
    if not rows:
        return set()
    names = [name.strip() for name in _COLUMNS.split(",")]
    inserted = await tx.fetch(_INSERT, *([getattr(row, name) for row in rows] for name in names))
    return {row["id"] for row in inserted}


async def claim_deliveries(
    tx: Transaction, channel: str, limit: int, now: datetime, until: datetime, running: Mapping[str, int], lane_share: int
) -> list[DeliveryRow]:
    """Lease up to `limit` due deliveries of a channel until the instant `until`, urgent ones first, then the oldest.

    Counts an attempt and raises the fence. A lane gets no more than `lane_share` less the attempts that it has `running`.
    """
    rows = await tx.fetch(_CLAIM, channel, limit, now, until, list(running), list(running.values()), lane_share)
    return sorted((to_delivery(row) for row in rows), key=lambda row: (row.priority, row.id))


def due_condition(channel: str) -> str:
    """SQL condition of a look: a delivery of the channel is due. By priority, so that each is one step in the index `delivery_due`."""
    due = "SELECT FROM delivery WHERE status = 'pending' AND carrier IS NULL AND channel = '{}' AND priority = {} AND due_at <= now()"
    return " OR ".join(f"EXISTS ({due.format(channel, priority)})" for priority in (URGENT, ORDINARY))


async def defer_deliveries(tx: Transaction, channel: str, now: datetime, due_at: datetime) -> None:
    """Move the due deliveries of a channel that quiet hours delay to `due_at`."""
    await tx.execute(_DEFER, channel, now, due_at)


async def settle_deliveries(tx: Transaction, results: Sequence[AttemptResult]) -> dict[UUID, bool]:
    """Store results; a settled delivery loses address, subject and text.

    Returns the ids of those that were not discarded, each with whether its message carries further requests by now.
    """
    rows = await tx.fetch(
        _SETTLE,
        [result.id for result in results],
        [result.fence for result in results],
        [result.status for result in results],
        [result.due_at for result in results],
        [result.reference for result in results],
        [result.reason for result in results],
        [result.provider for result in results],
        [result.parts for result in results],
        [result.postponed for result in results],
    )
    stored = {row["id"]: row["carries"] for row in rows}
    if early := [result for result in results if result.id not in stored and result.status == "sent"]:
        arrays = ([result.id for result in early], [result.fence for result in early], [result.provider for result in early])
        await tx.execute(_SET_PROVIDER, *arrays, [result.parts for result in early])
    return stored


async def lock_delivery(tx: Transaction, delivery_id: UUID) -> DeliveryRow | None:
    """A delivery, locked; None for an unknown id."""
    row = await tx.fetchrow(_LOCK, delivery_id)
    return to_delivery(row) if row else None


async def record_receipt(tx: Transaction, delivery_id: UUID, status: str, reason: str, provider: str) -> None:
    """Store the status `delivered` or `failed` that a receipt of the provider reports."""
    await tx.execute(_RECORD_RECEIPT, delivery_id, status, reason, provider)


async def delivery_backlog(tx: Transaction, now: datetime) -> dict[str, tuple[int, datetime]]:
    """By channel: the number of deliveries that are due and not leased, and the due instant of the oldest."""
    return {row["channel"]: (row["due"], row["oldest"]) for row in await tx.fetch(_BACKLOG, now)}


async def prune_deliveries(tx: Transaction, before: datetime) -> int:
    """Delete up to 1,000 deliveries that were settled before an instant; returns their number."""
    return int((await tx.execute(_PRUNE, before)).split()[-1])


def to_delivery(row: object) -> DeliveryRow:
    """The delivery of a row with all columns."""
    return DeliveryRow(**dict(row))  # type: ignore[call-overload]
