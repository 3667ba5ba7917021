"""A case's whole ledger as it is stored, and what can be wrong with it: changed, missing or exchanged lines, or a tail cut off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.evidence import hash_chain
from services.sla.domain.evidence.recorded_events import RecordedEvent


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A line of the ledger with the columns beside its body."""

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
    """A case with its ledger: `head`, `sequence` and `state` are the case row's; `state` is JSON as bytes."""

    case: str
    head: bytes
    sequence: int
    calendar: str
    state: bytes
    rows: Sequence[LedgerRow] = field(default_factory=tuple)

    def recorded_events(self) -> list[RecordedEvent]:
        """The lines as the replay takes them; raises `ValueError` for a body that is no JSON."""
        return [RecordedEvent(orjson.loads(row.body), row.cause, row.origin, row.basis) for row in self.rows]


def verify_history(history: CaseHistory) -> list[str]:
    """What is wrong with a case's ledger, in words; empty if every line is what it was and where it was."""
    entries = [hash_chain.LedgerEntry(row.sequence, row.body, row.hash) for row in history.rows]
    return [
        *hash_chain.verify_chain(entries),
        *_head_faults(history),
        *(fault for row in history.rows for fault in _column_faults(history.case, row)),
    ]


def _head_faults(dossier: CaseHistory) -> Iterator[str]:
    last = dossier.rows[-1] if dossier.rows else None
    reached, head = (last.sequence, last.hash) if last else (0, hash_chain.GENESIS_HASH)
    if reached < dossier.sequence:
        yield f"the ledger ends at event {reached}, the case is at event {dossier.sequence}: the last events are missing"
    elif reached > dossier.sequence:
        yield f"the ledger goes on to event {reached}, the case is at event {dossier.sequence}: events were added, or the case set back"
    elif head != dossier.head:
        yield f"the case's head is not the hash of event {reached}: one of them was changed"


def _column_faults(case: str, row: LedgerRow) -> Iterator[str]:
    """Columns repeat what the body says, so that it can be searched: they have to agree."""
    try:
        body = orjson.loads(row.body)
        stated = {
            "case": case,
            "sequence": row.sequence,
            "type": row.type,
            "at": to_micros(row.at),
            "recorded_at": to_micros(row.recorded_at),
        }
        said = {**body, **{name: _parse_micros(body[name]) for name in ("at", "recorded_at")}}
    except (ValueError, KeyError, TypeError):
        yield f"event {row.sequence} cannot be read"
        return
    for name, value in stated.items():
        if said.get(name) != value:
            yield f"event {row.sequence}: the column {name} does not agree with the event"


def _parse_micros(written: str) -> int:
    return to_micros(datetime.fromisoformat(written))
