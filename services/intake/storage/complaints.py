"""Intake's tables: numbered books, complaints as registered (contact data sealed), and what was refused."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, LargeBinary, MetaData, Table, Text, func

from services.intake.domain.number_series import NumberSeries
from shared.runtime.database.database import Transaction
from shared.runtime.database.tables import runtime_tables

SCHEMA = "intake"


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


@dataclass(frozen=True, slots=True)
class RefusedSubmission:
    """A submission that was not accepted: where it came from and why, without its content."""

    via: str
    source: str
    reference: str
    reason: str
    faults: str


_COLUMNS = ("case_id", "number", "source", "channel", "external_id", "received_at", "registered_at", "fingerprint", "body")
_INSERT_REFUSALS = """
INSERT INTO refusal (via, source, reference, reason, faults)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
"""
_INSERT_SERIES = "INSERT INTO book (register, year, last) SELECT *, 0 FROM unnest($1::text[], $2::int[]) ON CONFLICT DO NOTHING"
_LOCK_SERIES = """
SELECT book.register, book.year, last FROM book JOIN unnest($1::text[], $2::int[]) AS wanted (register, year)
USING (register, year) ORDER BY book.register, book.year FOR UPDATE OF book
"""
_UPDATE_LAST_NUMBERS = """
UPDATE book SET last = used.last FROM unnest($1::text[], $2::int[], $3::bigint[]) AS used (register, year, last)
WHERE book.register = used.register AND book.year = used.year
"""


def tables() -> MetaData:
    """Everything in intake's schema."""
    metadata = runtime_tables(SCHEMA)
    Table(
        "book",
        metadata,
        Column("register", Text, primary_key=True),
        Column("year", Integer, primary_key=True),
        Column("last", BigInteger, nullable=False),
        postgresql_with={"fillfactor": 50},
    )
    complaint = Table(
        "complaint",
        metadata,
        Column("case_id", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("number", "source", "channel")),
        Column("external_id", Text),
        Column("received_at", DateTime(timezone=True), nullable=False),
        Column("registered_at", DateTime(timezone=True), nullable=False),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("body", Text, nullable=False),
    )
    Index("complaint_number", complaint.c.number)
    Table(
        "refusal",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("via", "source", "reference", "reason", "faults")),
        Column("refused_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )
    return metadata


async def lock_last_numbers(tx: Transaction, series: Collection[NumberSeries]) -> dict[NumberSeries, int]:
    """The last number of each book, locked until the transaction ends: whoever fails gives its numbers back."""
    wanted = sorted(series)
    arguments = [b.register for b in wanted], [b.year for b in wanted]
    rows = await tx.fetch(_LOCK_SERIES, *arguments)
    if len(rows) < len(wanted):
        await tx.execute(_INSERT_SERIES, *arguments)
        rows = await tx.fetch(_LOCK_SERIES, *arguments)
    return {NumberSeries(row["register"], row["year"]): row["last"] for row in rows}


async def save_last_numbers(tx: Transaction, last_numbers: dict[NumberSeries, int]) -> None:
    """Set the last number of each book."""
    if last_numbers:
        await tx.execute(
            _UPDATE_LAST_NUMBERS, [b.register for b in last_numbers], [b.year for b in last_numbers], list(last_numbers.values())
        )


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


async def insert_refusals(tx: Transaction, refusals: Sequence[RefusedSubmission]) -> None:
    """Keep what was refused, so that somebody can see it."""
    if refusals:
        values = [(r.via, r.source, r.reference, r.reason, r.faults) for r in refusals]
        await tx.execute(_INSERT_REFUSALS, *(list(column) for column in zip(*values, strict=True)))


async def find_event_json(tx: Transaction, case_id: str, source: str) -> str | None:
    """The registration of a case of that source, as JSON."""
    body: str | None = await tx.fetchval("SELECT body FROM complaint WHERE case_id = $1 AND source = $2", case_id, source)
    return body


def _values(row: ComplaintRow) -> tuple[Any, ...]:
    return (
        *(row.case_id, row.number, row.source, row.channel, row.external_id),
        *(row.received_at, row.registered_at, row.fingerprint, row.body),
    )
