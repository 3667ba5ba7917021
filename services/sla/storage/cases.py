"""Reads, locks and writes table `cases`: the present state of each case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.sla.domain.deadlines.worktime import from_micros
from services.sla.domain.evidence.hash_chain import GENESIS_HASH
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.decide import next_due
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


async def lock_cases(tx: Transaction, ids: Sequence[str]) -> list[str]:
    """Lock the cases that nobody else works on."""
    rows = await tx.fetch("SELECT id FROM cases WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE SKIP LOCKED", list(ids))
    return [row["id"] for row in rows]


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
