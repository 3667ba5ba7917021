"""Complaints as registered (contact data sealed)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.runtime.database.database import Transaction


@dataclass(frozen=True, slots=True)
class ComplaintRow:
    """A registered complaint: `body` is its event as published, `fingerprint` the SHA-256 of the submission."""

    case_id: str
    number: str
    source: str
    channel: str
    external_id: str | None
    received_at: datetime
    registered_at: datetime
    fingerprint: bytes
    body: str


@dataclass(frozen=True, slots=True)
class RegisteredComplaint:
    """What a submission that comes again is answered with."""

    number: str
    fingerprint: bytes
    missing: tuple[str, ...]


_COLUMNS = ("case_id", "number", "source", "channel", "external_id", "received_at", "registered_at", "fingerprint", "body")


async def find_registered(tx: Transaction, case_ids: Collection[str]) -> dict[str, RegisteredComplaint]:
    """Those of the cases that are registered already."""
    rows = await tx.fetch(
        "SELECT case_id, number, fingerprint, body::jsonb->'missing' AS missing FROM complaint WHERE case_id = ANY($1::text[])",
        sorted(case_ids),
    )
    return {row["case_id"]: RegisteredComplaint(row["number"], row["fingerprint"], tuple(row["missing"] or ())) for row in rows}


async def insert(tx: Transaction, rows: Sequence[ComplaintRow]) -> None:
    """Keep new complaints."""
    await tx.copy_rows("complaint", _COLUMNS, [_values(row) for row in rows])


async def find_event_json(tx: Transaction, case_id: str, source: str) -> str | None:
    """The registration of a case of that source, as JSON."""
    body: str | None = await tx.fetchval("SELECT body FROM complaint WHERE case_id = $1 AND source = $2", case_id, source)
    return body


def _values(row: ComplaintRow) -> tuple[Any, ...]:
    return (
        *(row.case_id, row.number, row.source, row.channel, row.external_id),
        *(row.received_at, row.registered_at, row.fingerprint, row.body),
    )
