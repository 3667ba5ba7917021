"""Reads, locks and writes table `cases`: the present state of each case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any

import orjson

from services.sla.domain.deadlines.worktime import from_micros, to_micros
from services.sla.domain.evidence.hash_chain import GENESIS_HASH
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.due_items import next_due
from services.sla.domain.views.lateness import has_breached, next_deadline
from shared.runtime.database.database import Transaction

_COLUMNS = (
    *("id", "number", "source", "procedure", "version", "received_at", "personal_key"),
    *("status", "class", "department", "calendar", "sequence", "head", "state", "changed_at", "due_at"),
    *("breached", "escalated", "handler", "other_departments"),
)
# Every statement that locks several cases orders them by id: two transactions then cannot deadlock.
_LOAD = "SELECT id, state, head, calendar, changed_at, personal_key FROM cases WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE"
_LOCK = "SELECT id FROM cases WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE SKIP LOCKED"
_LOCK_OUTDATED = "SELECT id FROM cases WHERE status = 'open' AND calendar = ANY($1::text[]) ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED"
_STATE = "SELECT state FROM cases WHERE id = $1"
_STATES = "SELECT id, state FROM cases WHERE id = ANY($1::text[])"
_UPDATE = """
UPDATE cases SET status = changed.status, class = changed.class, department = changed.department, calendar = changed.calendar,
    sequence = changed.sequence, head = changed.head, state = changed.state, changed_at = changed.changed_at, due_at = changed.due_at,
    breached = changed.breached, escalated = changed.escalated, handler = changed.handler,
    other_departments = changed.other_departments::text[]
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::bytea[], $8::bytea[], $9::timestamptz[],
        $10::timestamptz[], $11::boolean[], $12::boolean[], $13::text[], $14::text[])
    AS changed (id, status, class, department, calendar, sequence, head, state, changed_at, due_at, breached, escalated, handler,
        other_departments)
WHERE cases.id = changed.id
"""


def new_personal_key() -> bytes:
    """A random key of 32 bytes."""
    return token_bytes(32)


@dataclass(slots=True)
class StoredCase:
    """A case with what is stored beside it; the defaults are those of a case that is not registered yet.

    `head` is the hash of the latest event, `calendar_stamp` names the calendars that the deadlines were calculated with,
    `next_due` is the next due instant in microseconds (None: nothing is due), `has_row` is True for a row that `save_cases` updates,
    `changed_at` is the latest instant of an event, in microseconds; `person_keys` are those of a new case's complainant.
    `personal_key` binds the personal values of the events into the ledger; an erasure replaces it (ADR 68).
    """

    case: Case | None = None
    head: bytes = GENESIS_HASH
    calendar_stamp: str = ""
    next_due: int | None = None
    has_row: bool = False
    changed_at: int = 0
    person_keys: tuple[str, ...] = ()
    personal_key: bytes = field(default_factory=new_personal_key)


async def load_cases(tx: Transaction, ids: Iterable[str]) -> dict[str, StoredCase]:
    """The cases by id, locked; a `StoredCase` without a case for each unknown id."""
    wanted = sorted(set(ids))
    stored = {row["id"]: _to_stored_case(row) for row in await tx.fetch(_LOAD, wanted)}
    return {case_id: stored.get(case_id) or StoredCase() for case_id in wanted}


async def load_case(tx: Transaction, case_id: str) -> Case | None:
    """A case, not locked; None for an unknown id."""
    state = await tx.fetchval(_STATE, case_id)
    return None if state is None else Case.from_dict(orjson.loads(state))


async def read_cases(tx: Transaction, ids: Sequence[str]) -> dict[str, Case]:
    """The cases by id, not locked; unknown ids are left out."""
    if not ids:
        return {}
    return {row["id"]: Case.from_dict(orjson.loads(row["state"])) for row in await tx.fetch(_STATES, list(ids))}


async def save_cases(tx: Transaction, stored_cases: Sequence[StoredCase]) -> None:
    """Insert or update the rows of these cases."""
    inserted = [(*_fixed_columns(s.case), s.personal_key, *_changing_columns(s, s.case)) for s in stored_cases if s.case and not s.has_row]
    # COPY for new rows, at half the cost of `unnest`; it has no ON CONFLICT, so known rows are updated (ADR 27).
    await tx.copy_rows("cases", _COLUMNS, inserted)
    await tx.copy_rows(
        "case_person", ("key", "case_id"), [(key, s.case.id) for s in stored_cases if s.case and not s.has_row for key in s.person_keys]
    )
    # unnest() would flatten arrays of arrays, which must also be of one length: an array goes as its text.
    updated = [(s.case.id, *_changing_columns(s, s.case)[:-1], _array_text(s.case)) for s in stored_cases if s.case and s.has_row]
    if updated:
        await tx.execute(_UPDATE, *(list(column) for column in zip(*updated, strict=True)))


async def lock_cases(tx: Transaction, ids: Sequence[str]) -> list[str]:
    """Lock those of the cases that no other transaction has locked, and return their ids."""
    return [row["id"] for row in await tx.fetch(_LOCK, list(ids))]


async def lock_waiting(tx: Transaction, ids: Sequence[str]) -> None:
    """Lock the cases, after other transactions have done with them: their timers then cannot be set again without new inputs."""
    if ids:
        await tx.fetch(_LOCK.removesuffix(" SKIP LOCKED"), list(ids))


async def lock_outdated_cases(tx: Transaction, outdated_stamps: Sequence[str], limit: int) -> list[str]:
    """Lock open cases whose deadlines were calculated with one of these sets of calendars, and return their ids."""
    return [row["id"] for row in await tx.fetch(_LOCK_OUTDATED, list(outdated_stamps), limit)]


def _to_stored_case(row: Mapping[str, Any]) -> StoredCase:
    case = Case.from_dict(orjson.loads(row["state"]))
    changed_at, key = to_micros(row["changed_at"]), row["personal_key"]
    return StoredCase(case, row["head"], row["calendar"], next_due(case), has_row=True, changed_at=changed_at, personal_key=key)


def _fixed_columns(case: Case) -> tuple[Any, ...]:
    return case.id, case.number, case.complaint.get("source", ""), case.procedure, case.version, from_micros(case.received_at)


def _changing_columns(stored: StoredCase, case: Case) -> tuple[Any, ...]:
    changed_at = from_micros(max(stored.changed_at, case.received_at))
    due_at = next_deadline(case)
    return (
        *(case.status, case.class_, case.department, stored.calendar_stamp, case.sequence, stored.head, orjson.dumps(case), changed_at),
        *(None if due_at is None else from_micros(due_at), has_breached(case), is_escalated(case), case.handler, other_departments(case)),
    )


def is_escalated(case: Case) -> bool:
    """Whether an escalation of the case continues: no one has acknowledged it yet."""
    return any(escalation.active for escalation in case.climbs)


def other_departments(case: Case) -> list[str]:
    """The departments that the case concerns besides its lead: the proposed one and those that co-operate."""
    return sorted({department for department in (case.proposed, *case.cooperating) if department and department != case.department})


def _array_text(case: Case) -> str:
    quoted = (department.replace("\\", "\\\\").replace('"', '\\"') for department in other_departments(case))
    return "{" + ",".join(f'"{department}"' for department in quoted) + "}"


async def find_case_by_key(tx: Transaction, key: str) -> str | None:
    """The id of the case that this key alone names, such as that of a code; None if there is none."""
    rows = await tx.fetch("SELECT case_id FROM case_person WHERE key = $1 LIMIT 1", key)
    return rows[0]["case_id"] if rows else None
