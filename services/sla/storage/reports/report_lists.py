"""Writes and reads table `report_list`: the rows of a report's lists, in parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from services.sla.domain.lifecycle.case import Case
from shared.runtime.database.database import Transaction

_INSERT = "INSERT INTO report_list (procedure, duty, period, list, part, content) VALUES ($1, $2, $3, $4, $5, $6)"
_PART = "SELECT content FROM report_list WHERE procedure = $1 AND duty = $2 AND period = $3 AND list = $4 AND part = $5"
_ERASED = "SELECT EXISTS (SELECT FROM report_list WHERE procedure = $1 AND duty = $2 AND period = $3 AND list = $4 AND erased)"
_CASES = "SELECT id, state FROM cases WHERE id = ANY($1::text[])"


class ReportKey(NamedTuple):
    """A report: that of a procedure's duty for the period that begins at an instant."""

    procedure: str
    duty: str
    period: datetime


async def insert_part(tx: Transaction, report: ReportKey, list_id: str, part: int, content: bytes) -> None:
    """Store a part of a list; parts count from 1."""
    await tx.execute(_INSERT, *report, list_id, part, content)


async def load_parts(tx: Transaction, report: ReportKey, list_id: str) -> AsyncIterator[bytes]:
    """The parts of a list in order."""
    part = 1
    while (content := await tx.fetchval(_PART, *report, list_id, part)) is not None:
        yield content
        part += 1


async def has_erased_rows(tx: Transaction, report: ReportKey, list_id: str) -> bool:
    """Whether personal values were erased from rows of a list, so that its hash can no longer be compared."""
    return bool(await tx.fetchval(_ERASED, *report, list_id))


async def load_cases_by_id(tx: Transaction, case_ids: Sequence[str]) -> dict[str, Case]:
    """The present state of the cases."""
    rows: list[Any] = await tx.fetch(_CASES, list(case_ids))
    return {row["id"]: Case.from_dict(orjson.loads(row["state"])) for row in rows}
