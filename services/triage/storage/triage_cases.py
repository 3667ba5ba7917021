"""Reads and writes triage's cases (table `known`)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from shared.runtime.database.database import Transaction


class TriageCaseRow(NamedTuple):
    """One row, with a field for each column; parameters, complaint, memberships, count keys and proposed cases are JSON."""

    # Column names are a contract: `seen` is TriageCase.last_decided, `held` is effective, `assessed` is by_rules,
    # `pinned` is set_by_person. Complainant keys hold no white space.
    case_id: str
    procedure: str
    parameters: str
    complaint: str
    kind: str
    subject: str
    seen_kind: str
    seen_subject: str
    held_class: str
    held_rule: str
    assessed_class: str
    assessed_rule: str
    memberships: str
    complainants: str
    keys: str
    version: int
    sequence: int
    ended: str
    lead: str
    proposed: str
    pinned: bool


def _upsert_statement() -> str:
    array_types = {str: "text[]", int: "int[]", bool: "bool[]"}
    arrays = ", ".join(f"${number}::{array_types[type_]}" for number, type_ in enumerate(TriageCaseRow.__annotations__.values(), start=1))
    columns = ", ".join(TriageCaseRow._fields)
    updates = ", ".join(f"{name} = excluded.{name}" for name in TriageCaseRow._fields[1:])
    # Sorted, so that concurrent transactions lock rows in the same order.
    rows = f"SELECT {columns} FROM unnest({arrays}) AS new ({columns}) ORDER BY case_id"  # noqa: S608 - constants
    return f"INSERT INTO known ({columns}) {rows} ON CONFLICT (case_id) DO UPDATE SET {updates}"


_SELECT_CASES = "SELECT * FROM known WHERE case_id = ANY($1::text[]) ORDER BY case_id"
_SELECT_PROCEDURES = "SELECT DISTINCT procedure, version, parameters FROM known WHERE case_id = ANY($1::text[])"
_UPSERT_CASES = _upsert_statement()


async def find_cases(tx: Transaction, case_ids: Collection[str], *, for_update: bool) -> list[Mapping[str, Any]]:
    """The rows of these cases, ordered by id; `for_update` locks them in this order."""
    if not case_ids:
        return []
    statement = f"{_SELECT_CASES} FOR UPDATE" if for_update else _SELECT_CASES
    return [dict(row) for row in await tx.fetch(statement, sorted(case_ids))]


async def find_procedures(tx: Transaction, case_ids: Collection[str]) -> list[tuple[str, int, dict[str, Any]]]:
    """Id, version and parameters of the procedures that these cases are pinned to."""
    rows = await tx.fetch(_SELECT_PROCEDURES, sorted(case_ids)) if case_ids else []
    return [(row["procedure"], row["version"], orjson.loads(row["parameters"])) for row in rows]


async def save_cases(tx: Transaction, rows: Sequence[TriageCaseRow], *, new: bool) -> None:
    """Insert the rows if they are `new`, else update them."""
    if new:
        # COPY takes less than half the time of unnest, but cannot update.
        await tx.copy_rows("known", TriageCaseRow._fields, rows)
    elif rows:
        await tx.execute(_UPSERT_CASES, *(list(column) for column in zip(*rows, strict=True)))
