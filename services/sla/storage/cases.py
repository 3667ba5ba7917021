"""sla's tables, read and written in the transaction of a batch: cases, ledger, held inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from services.sla.domain.deadlines.worktime import from_micros
from services.sla.domain.evidence.decision_context import DecisionContext
from services.sla.domain.evidence.hash_chain import GENESIS_HASH, LedgerEntry
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.due_items import next_due
from shared.runtime.database.database import Transaction

_LOAD = "SELECT id, state, head, calendar FROM cases WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE"
_CASE = (
    *("id", "number", "source", "procedure", "version", "received_at"),
    *("status", "class", "department", "calendar", "sequence", "head", "state"),
)
_CHANGE = """
UPDATE cases SET status = changed.status, class = changed.class, department = changed.department, calendar = changed.calendar,
    sequence = changed.sequence, head = changed.head, state = changed.state
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::bytea[], $8::bytea[])
    AS changed (id, status, class, department, calendar, sequence, head, state)
WHERE cases.id = changed.id
"""
_LEDGER = ("case_id", "sequence", "type", "at", "recorded_at", "cause", "body", "hash", "origin", "basis")
_LOAD_DEFERRED = "SELECT id, case_id, at, input FROM held WHERE case_id = ANY($1::text[]) ORDER BY case_id, at, id"
_INSERT_DEFERRED = "INSERT INTO held (case_id, at, input) SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::bytea[])"


@dataclass(slots=True)
class StoredCase:
    """A case as it is stored: state, hash of its latest event, calendars that its deadlines are counted with; none of it if unknown.

    `due` is the next instant (microseconds) at which something of it is due, None if nothing is; `stored` says whether it has a row.
    """

    case: Case | None = None
    head: bytes = GENESIS_HASH
    calendar_stamp: str = ""
    next_due: int | None = None
    has_row: bool = False


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


@dataclass(frozen=True, slots=True)
class DeferredInput:
    """An input that waits: for its case to be registered, or for what was due before it."""

    id: int
    case: str
    at: datetime
    input: dict[str, Any]


async def load_cases(tx: Transaction, ids: Iterable[str]) -> dict[str, StoredCase]:
    """The cases, locked in the order of their ids; a `Kept` without a case for each unknown id."""
    wanted = sorted(set(ids))
    rows = await tx.fetch(_LOAD, wanted)
    found = {row["id"]: _to_stored_case(row["state"], row["head"], row["calendar"]) for row in rows}
    return {name: found.get(name) or StoredCase() for name in wanted}


def _to_stored_case(state: bytes, head: bytes, calendar: str) -> StoredCase:
    case = Case.from_dict(orjson.loads(state))
    return StoredCase(case, head, calendar, next_due(case), has_row=True)


async def save_cases(tx: Transaction, cases: Sequence[StoredCase]) -> None:
    """Write cases as they stand now."""
    await tx.copy_rows(
        "cases",
        _CASE,
        [(*_fixed_columns(each.case), *_changing_columns(each, each.case)) for each in cases if each.case and not each.has_row],
    )
    changed = [(each.case.id, *_changing_columns(each, each.case)) for each in cases if each.case and each.has_row]
    if changed:
        await tx.execute(_CHANGE, *(list(column) for column in zip(*changed, strict=True)))


def _fixed_columns(case: Case) -> tuple[Any, ...]:
    """What never changes."""
    return case.id, case.number, case.complaint.get("source", ""), case.procedure, case.version, from_micros(case.received_at)


def _changing_columns(stored: StoredCase, case: Case) -> tuple[Any, ...]:
    return case.status, case.class_, case.department, stored.calendar_stamp, case.sequence, stored.head, orjson.dumps(case)


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


async def insert_decision_context(tx: Transaction, context: DecisionContext, calendar_stamp: str) -> None:
    """Keep what decisions rest on from now on."""
    await tx.execute(
        "INSERT INTO basis (stamp, calendar, content) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        context.stamp,
        calendar_stamp,
        context.content,
    )


async def load_deferred(tx: Transaction, ids: Iterable[str]) -> dict[str, list[DeferredInput]]:
    """The inputs that wait, by case, in their order."""
    found: dict[str, list[DeferredInput]] = {}
    for row in await tx.fetch(_LOAD_DEFERRED, sorted(set(ids))):
        found.setdefault(row["case_id"], []).append(DeferredInput(row["id"], row["case_id"], row["at"], orjson.loads(row["input"])))
    return found


async def insert_deferred(tx: Transaction, inputs: Sequence[tuple[str, datetime, Mapping[str, Any]]]) -> None:
    """Let inputs wait: case, instant, input."""
    if inputs:
        await tx.execute(_INSERT_DEFERRED, [i[0] for i in inputs], [i[1] for i in inputs], [orjson.dumps(i[2]) for i in inputs])


async def delete_deferred(tx: Transaction, ids: Sequence[int]) -> None:
    """These inputs wait no longer."""
    if ids:
        await tx.execute("DELETE FROM held WHERE id = ANY($1::bigint[])", list(ids))


async def lock_cases(tx: Transaction, ids: Sequence[str]) -> list[str]:
    """Lock the cases that nobody else works on."""
    rows = await tx.fetch("SELECT id FROM cases WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE SKIP LOCKED", list(ids))
    return [row["id"] for row in rows]


async def load_events(tx: Transaction, case: str) -> list[dict[str, Any]]:
    """A case's events in order, as they were published."""
    rows = await tx.fetch("SELECT type, body FROM ledger WHERE case_id = $1 ORDER BY sequence", case)
    return [{"event": row["type"], **orjson.loads(row["body"])} for row in rows]


async def lock_outdated_cases(tx: Transaction, calendar_stamp: str, limit: int) -> list[str]:
    """Open cases whose deadlines were counted with other calendars than the present ones, locked."""
    rows = await tx.fetch(
        "SELECT id FROM cases WHERE status = 'open' AND calendar <> $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED", calendar_stamp, limit
    )
    return [row["id"] for row in rows]


async def count_open_cases(tx: Transaction) -> list[tuple[str, str, int]]:
    """How many cases are open, by class and department."""
    rows = await tx.fetch("SELECT class, department, count(*) AS n FROM cases WHERE status = 'open' GROUP BY class, department")
    return [(row["class"], row["department"], row["n"]) for row in rows]
