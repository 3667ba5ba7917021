"""A case's stored row and ledger, and the check for changed, missing or exchanged entries, and for missing last ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.evidence import hash_chain
from services.sla.domain.evidence.recorded_events import RecordedEvent
from shared.contracts.erasure.personal_values import ERASED_FIELD
from shared.contracts.events.from_work_to_closing import PersonErased


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A row of table `ledger`: an entry with the columns beside its body."""

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
    """A case with its ledger: `head`, `sequence`, `state` and `personal_key` are the case row's; `state` is JSON as bytes."""

    case: str
    head: bytes
    sequence: int
    calendar: str
    state: bytes
    rows: Sequence[LedgerRow] = field(default_factory=tuple)
    personal_key: bytes = b""

    @property
    def is_erased(self) -> bool:
        """Whether personal values of the case were erased."""
        return any(row.type == PersonErased.name for row in self.rows)

    def recorded_events(self) -> list[RecordedEvent]:
        """The entries as the input of a replay; raises `ValueError` for a body that is not JSON."""
        return [RecordedEvent(orjson.loads(row.body), row.cause, row.origin, row.basis) for row in self.rows]


def verify_history(history: CaseHistory) -> list[str]:
    """The faults of a case's ledger, one line each; empty if it is intact."""
    entries = [hash_chain.LedgerEntry(row.sequence, row.body, row.hash) for row in history.rows]
    return [
        *hash_chain.verify_chain(entries, history.personal_key),
        *_erasure_faults(history),
        *_head_faults(history),
        *(fault for row in history.rows for fault in _column_faults(history.case, row)),
    ]


def _erasure_faults(history: CaseHistory) -> Iterator[str]:
    # The chain holds for an event without its texts, so that whoever removes texts alone would leave no trace there.
    last = max((row.sequence for row in history.rows if row.type == PersonErased.name), default=0)
    for row in history.rows:
        if row.sequence > last and ERASED_FIELD in _fields(row):
            yield f"event {row.sequence} has lost its texts, but no erasure of the case is recorded after it"


def _fields(row: LedgerRow) -> dict[str, Any]:
    try:
        fields = orjson.loads(row.body)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _head_faults(history: CaseHistory) -> Iterator[str]:
    # A chain without its last entries is intact in itself: only the case row shows that they are missing.
    last = history.rows[-1] if history.rows else None
    reached, head = (last.sequence, last.hash) if last else (0, hash_chain.GENESIS_HASH)
    if reached < history.sequence:
        yield f"the ledger ends at event {reached}, the case is at event {history.sequence}: the last events are missing"
    elif reached > history.sequence:
        yield f"the ledger ends at event {reached}, the case is at event {history.sequence}: events were added, or the case row was reset"
    elif head != history.head:
        yield f"the case's head is not the hash of event {reached}: one of them was changed"


def _column_faults(case: str, row: LedgerRow) -> Iterator[str]:
    """Columns repeat fields of the body for queries; both must be equal."""
    try:
        body = orjson.loads(row.body)
        columns = {
            "case": case,
            "sequence": row.sequence,
            "type": row.type,
            "at": to_micros(row.at),
            "recorded_at": to_micros(row.recorded_at),
        }
        fields = {**body, **{name: _parse_micros(body[name]) for name in ("at", "recorded_at")}}
    except (ValueError, KeyError, TypeError):
        yield f"event {row.sequence} cannot be read"
        return
    for name, value in columns.items():
        if fields.get(name) != value:
            yield f"event {row.sequence}: the column {name} differs from the event"


def _parse_micros(written: str) -> int:
    return to_micros(datetime.fromisoformat(written))
