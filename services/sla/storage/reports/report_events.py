"""Appends to and reads table `report_event`: what people did to a procedure's reports and improvement measures, as a hash chain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.sla.domain.evidence.hash_chain import GENESIS_HASH, LedgerEntry, canonical_json, chain_hash
from shared.runtime.database.database import Transaction

# Two appends to one procedure's chain at once would both follow the same entry.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_LAST = "SELECT sequence, hash FROM report_event WHERE procedure = $1 ORDER BY sequence DESC LIMIT 1"
_INSERT = "INSERT INTO report_event (procedure, sequence, type, at, body, hash) VALUES ($1, $2, $3, $4, $5, $6)"
_CHAIN = "SELECT sequence, body, hash FROM report_event WHERE procedure = $1 ORDER BY sequence"
_PROCEDURES = "SELECT procedure FROM report_event UNION SELECT procedure FROM duty ORDER BY procedure"


async def append_event(tx: Transaction, procedure: str, event_type: str, at: datetime, fields: dict[str, Any]) -> None:
    """Append an event; the chain is locked until the transaction ends."""
    await tx.execute(_LOCK, f"report_event:{procedure}")
    last = await tx.fetchrow(_LAST, procedure)
    sequence, previous = (last["sequence"] + 1, last["hash"]) if last is not None else (1, GENESIS_HASH)
    body = canonical_json({**fields, "type": event_type, "at": at.isoformat(), "procedure": procedure, "sequence": sequence})
    await tx.execute(_INSERT, procedure, sequence, event_type, at, body, chain_hash(previous, body))


async def load_chain(tx: Transaction, procedure: str) -> list[LedgerEntry]:
    """All events of a procedure, for `verify_chain`."""
    return [LedgerEntry(row["sequence"], row["body"], row["hash"]) for row in await tx.fetch(_CHAIN, procedure)]


async def procedures_with_reports(tx: Transaction) -> list[str]:
    """The procedures that have reports or events of them."""
    return [row["procedure"] for row in await tx.fetch(_PROCEDURES)]
