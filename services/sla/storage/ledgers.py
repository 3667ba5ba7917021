"""Appends to and reads table `ledger`: the events of each case in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from services.sla.domain.evidence.hash_chain import LedgerEntry
from shared.runtime.database.database import Transaction

_LEDGER = ("case_id", "sequence", "type", "at", "recorded_at", "cause", "body", "hash", "origin", "basis")


class NewLedgerEntry(NamedTuple):
    """A line to be written to a case's ledger; `fields` are those of the entry's body, `origin` and `basis` those of the replay."""

    case: str
    entry: LedgerEntry
    type: str
    at: datetime
    recorded_at: datetime
    cause: str
    fields: dict[str, Any]
    origin: str = ""
    basis: str = ""


async def append_entries(tx: Transaction, entries: Sequence[NewLedgerEntry]) -> None:
    """Add lines to the ledger."""
    await tx.copy_rows(
        "ledger",
        _LEDGER,
        [
            (li.case, li.entry.sequence, li.type, li.at, li.recorded_at, li.cause, li.entry.body, li.entry.hash, li.origin, li.basis)
            for li in entries
        ],
    )


async def load_events(tx: Transaction, case: str) -> list[dict[str, Any]]:
    """A case's events in order, as they were published."""
    rows = await tx.fetch("SELECT type, body FROM ledger WHERE case_id = $1 ORDER BY sequence", case)
    return [{"event": row["type"], **orjson.loads(row["body"])} for row in rows]
