"""What triage knows of each case."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from shared.runtime.database.database import Transaction


class TriageCaseRow(NamedTuple):
    """One case, a field a column: verdicts by class and rule, parameters, complaint and keys as JSON."""

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
    grouped_class: str
    grouped_rule: str
    keys: str
    version: int
    sequence: int
    pinned: bool
    ended: bool


_ARRAYS = {str: "text[]", int: "int[]", bool: "bool[]"}


def _upsert_statement() -> str:
    arrays = ", ".join(f"${place}::{_ARRAYS[type_]}" for place, type_ in enumerate(TriageCaseRow.__annotations__.values(), start=1))
    columns = ", ".join(TriageCaseRow._fields)
    changes = ", ".join(f"{name} = excluded.{name}" for name in TriageCaseRow._fields[1:])
    new = f"SELECT {columns} FROM unnest({arrays}) AS new ({columns}) ORDER BY case_id"  # noqa: S608 - constants
    return f"INSERT INTO known ({columns}) {new} ON CONFLICT (case_id) DO UPDATE SET {changes}"


_UPSERT_CASES = _upsert_statement()


_SELECT_CASES = "SELECT * FROM known WHERE case_id = ANY($1::text[]) ORDER BY case_id"
_SELECT_PROCEDURES = "SELECT DISTINCT procedure, version, parameters FROM known WHERE case_id = ANY($1::text[])"


async def find_cases(tx: Transaction, case_ids: Collection[str], *, for_update: bool) -> list[Mapping[str, Any]]:
    """What is known of these cases, by id."""
    if not case_ids:
        return []
    return [dict(row) for row in await tx.fetch(f"{_SELECT_CASES} FOR UPDATE" if for_update else _SELECT_CASES, sorted(case_ids))]


async def find_procedures(tx: Transaction, case_ids: Collection[str]) -> list[tuple[str, int, dict[str, Any]]]:
    """The procedures that these cases are pinned to, with version and parameters."""
    rows = await tx.fetch(_SELECT_PROCEDURES, sorted(case_ids)) if case_ids else []
    return [(row["procedure"], row["version"], orjson.loads(row["parameters"])) for row in rows]


async def save_cases(tx: Transaction, rows: Sequence[TriageCaseRow], *, new: bool) -> None:
    """Keep cases; `new` ones are not there yet."""
    if new:
        await tx.copy_rows("known", TriageCaseRow._fields, rows)
    elif rows:
        await tx.execute(_UPSERT_CASES, *(list(column) for column in zip(*rows, strict=True)))
