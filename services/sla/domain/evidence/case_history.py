"""A case's whole ledger as stored, and the faults in it: changed, missing or swapped entries, or a tail that is cut off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.evidence import hash_chain
from services.sla.domain.evidence.recorded_events import RecordedEvent, parse_instant_fields, parse_micros
from services.sla.domain.lifecycle.case import Event
from services.sla.domain.reports.statistics import CaseTimeline


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A stored ledger entry with its columns: canonical JSON, hash, and the fields of the event that queries search."""

    sequence: int
    body: bytes
    hash: bytes
    type: str
    at: datetime
    recorded_at: datetime
    cause: str = ""
    origin: str = ""
    basis: str = ""


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """A case row (`head`, `sequence`, `calendar`, and `state` as JSON) with all its ledger rows, read at one moment."""

    case: str
    head: bytes
    sequence: int
    calendar: str
    state: bytes
    rows: Sequence[LedgerRow] = field(default_factory=tuple)

    def recorded_events(self) -> list[RecordedEvent]:
        """The rows as replay reads them; raises `ValueError` for a body that is not JSON."""
        return [RecordedEvent(orjson.loads(row.body), row.cause, row.origin, row.basis) for row in self.rows]

    def timeline(self) -> CaseTimeline:
        """The case as statistics read it; raises `ValueError` for a body that is not JSON."""
        return case_timeline(self.case, [orjson.loads(row.body) for row in self.rows])


def case_timeline(case: str, bodies: Sequence[dict[str, Any]]) -> CaseTimeline:
    """A case as statistics read it, from the bodies of its events in order; there has to be at least one."""
    registered = next((body for body in bodies if body["type"] == "registered"), {})
    complaint = registered.get("complaint", {})
    return CaseTimeline(
        case,
        received_at=parse_micros(complaint.get("received_at") or bodies[0]["at"]),
        channel=complaint.get("channel", "hotline"),
        complainant_kind=complaint.get("complainant", {}).get("kind", "customer"),
        events=[Event(body["type"], parse_micros(body["at"]), body["sequence"], parse_instant_fields(body)) for body in bodies],
        facts=complaint.get("facts", {}),
    )


def verify_history(history: CaseHistory) -> list[str]:
    """The faults of a case's ledger, one text each; empty if every entry is unchanged and in its place."""
    entries = [hash_chain.LedgerEntry(row.sequence, row.body, row.hash) for row in history.rows]
    return [
        *hash_chain.verify_chain(entries),
        *_head_faults(history),
        *(fault for row in history.rows for fault in _column_faults(history.case, row)),
    ]


def _head_faults(history: CaseHistory) -> Iterator[str]:
    last_row = history.rows[-1] if history.rows else None
    last, last_hash = (last_row.sequence, last_row.hash) if last_row else (0, hash_chain.GENESIS_HASH)
    if last < history.sequence:
        yield f"the ledger ends at event {last}, the case is at event {history.sequence}: the last events are missing"
    elif last > history.sequence:
        yield f"the ledger ends at event {last}, the case is at event {history.sequence}: events were added, or the case was set back"
    elif last_hash != history.head:
        yield f"the case's head is not the hash of event {last}: one of them was changed"


def _column_faults(case: str, row: LedgerRow) -> Iterator[str]:
    """The columns repeat fields of the body, so that queries can search them; the two have to agree."""
    try:
        body = orjson.loads(row.body)
        fields = {**body, **{name: parse_micros(body[name]) for name in ("at", "recorded_at")}}
        columns = {
            "case": case,
            "sequence": row.sequence,
            "type": row.type,
            "at": to_micros(row.at),
            "recorded_at": to_micros(row.recorded_at),
        }
    except (ValueError, KeyError, TypeError):
        yield f"event {row.sequence} cannot be read"
        return
    for name, value in columns.items():
        if fields.get(name) != value:
            yield f"event {row.sequence}: the column {name} does not agree with the event"
