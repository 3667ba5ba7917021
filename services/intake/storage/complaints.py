"""Reads and writes registered complaints (table `complaint`)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.runtime.database.database import Transaction

_COLUMNS = ("case_id", "number", "source", "channel", "external_id", "received_at", "registered_at", "fingerprint", "body")
_SELECT_REGISTERED = """
SELECT case_id, number, fingerprint, body::jsonb->'missing' AS missing, body::jsonb->'unreadable' AS unreadable
FROM complaint WHERE case_id = ANY($1::text[])
"""
_SELECT_BY_FINGERPRINT = """
SELECT source, fingerprint, min(case_id) AS case_id FROM complaint
WHERE fingerprint = ANY($1::bytea[]) AND registered_at >= $2 GROUP BY source, fingerprint
"""

ERASED_FINGERPRINT = b""
"""The fingerprint of an erased complaint, which any repeated submission of it matches."""


@dataclass(frozen=True, slots=True)
class ComplaintRow:
    """A registered complaint; `body` is its event as published (contact data encrypted), `fingerprint` the submission's SHA-256."""

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
    """The values of a registered complaint that a repeated submission is compared with, and that the answer to it contains."""

    number: str
    fingerprint: bytes
    missing: tuple[str, ...]
    unreadable: tuple[str, ...]


async def find_registered(tx: Transaction, case_ids: Collection[str]) -> dict[str, RegisteredComplaint]:
    """Those of the cases that are registered already, by id."""
    rows = await tx.fetch(_SELECT_REGISTERED, sorted(case_ids))
    return {
        row["case_id"]: RegisteredComplaint(row["number"], row["fingerprint"], tuple(row["missing"] or ()), tuple(row["unreadable"] or ()))
        for row in rows
    }


async def find_cases_by_body(tx: Transaction, fingerprints: Collection[bytes], since: datetime) -> dict[tuple[str, bytes], str]:
    """Source and fingerprint of submissions registered since an instant, with their case."""
    if not fingerprints:
        return {}
    rows = await tx.fetch(_SELECT_BY_FINGERPRINT, sorted(fingerprints), since)
    return {(row["source"], row["fingerprint"]): row["case_id"] for row in rows}


async def find_event_json(tx: Transaction, case_id: str) -> tuple[str, str] | None:
    """The source and the `registered` event, as JSON, of a case."""
    rows = await tx.fetch("SELECT source, body FROM complaint WHERE case_id = $1", case_id)
    return (rows[0]["source"], rows[0]["body"]) if rows else None


async def insert_complaints(tx: Transaction, complaints: Sequence[ComplaintRow]) -> None:
    """Insert new complaints."""
    rows = [
        (c.case_id, c.number, c.source, c.channel, c.external_id, c.received_at, c.registered_at, c.fingerprint, c.body) for c in complaints
    ]
    await tx.copy_rows("complaint", _COLUMNS, rows)
