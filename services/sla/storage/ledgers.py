"""Appends to and reads table `ledger`: the events of each case in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from services.sla.domain.evidence.hash_chain import LedgerEntry
from shared.runtime.database.database import Transaction

_COLUMNS = ("case_id", "sequence", "type", "at", "recorded_at", "cause", "body", "hash", "origin", "basis")
_EVENTS = "SELECT type, body FROM ledger WHERE case_id = $1 ORDER BY sequence"
# Of the cause `case`: a duplicate passes on to its lead what another complainant wrote.
_COMPLAINANTS_EVENTS = (
    "SELECT type, body FROM ledger WHERE case_id = $1 AND NOT (cause = 'case' AND type IN ('urged', 'supplemented')) ORDER BY sequence"
)
_EVENTS_OF_CASES = "SELECT case_id, type, body, basis FROM ledger WHERE case_id = ANY($1::text[]) ORDER BY case_id, sequence"


class NewLedgerEntry(NamedTuple):
    """A ledger entry that the transaction is about to insert.

    `fields` is the body before it was encoded; `origin` and `context_stamp` are what a replay reads besides the events.
    """

    case: str
    entry: LedgerEntry
    type: str
    at: datetime
    recorded_at: datetime
    cause: str
    fields: dict[str, Any]
    origin: str = ""
    context_stamp: str = ""


async def append_entries(tx: Transaction, entries: Sequence[NewLedgerEntry]) -> None:
    """Insert entries, in their order."""
    await tx.copy_rows("ledger", _COLUMNS, [_row(entry) for entry in entries])


async def load_events(tx: Transaction, case_id: str) -> list[dict[str, Any]]:
    """A case's events in order, with the fields that were published and the type as `event`."""
    return [_event(row) for row in await tx.fetch(_EVENTS, case_id)]


async def load_events_for_complainant(tx: Transaction, case_id: str) -> list[dict[str, Any]]:
    """The events of `load_events` without the acts of the complainants of duplicates."""
    return [_event(row) for row in await tx.fetch(_COMPLAINANTS_EVENTS, case_id)]


async def load_events_of_cases(tx: Transaction, case_ids: Sequence[str]) -> dict[str, tuple[list[dict[str, Any]], str]]:
    """The events of each case, as `load_events` gives them, with the stamp of the decision context of the latest."""
    events: dict[str, tuple[list[dict[str, Any]], str]] = {}
    for row in await tx.fetch(_EVENTS_OF_CASES, list(case_ids)):
        earlier, _ = events.get(row["case_id"], ([], ""))
        earlier.append(_event(row))
        events[row["case_id"]] = earlier, row["basis"]
    return events


def _event(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"event": row["type"], **orjson.loads(row["body"])}


def _row(new: NewLedgerEntry) -> tuple[Any, ...]:
    """The values of `_COLUMNS`."""
    chained = new.entry
    return (
        *(new.case, chained.sequence, new.type, new.at, new.recorded_at, new.cause),
        *(chained.body, chained.hash, new.origin, new.context_stamp),
    )
