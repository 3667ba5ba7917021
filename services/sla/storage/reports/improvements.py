"""Reads and writes table `improvement`: measures for improvement, tracked until their effect is confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from shared.runtime.database.database import Transaction

MAX_IMPROVEMENTS = 10_000
_COLUMNS = ("id", "procedure", "case_id", "state", "due_at", "added_at", "done_at", "chased_at", "content")
_SELECT = "SELECT id, procedure, case_id, state, due_at, added_at, done_at, chased_at, content FROM improvement WHERE procedure = $1"
_UPDATE = "UPDATE improvement SET state = $2, due_at = $3, done_at = $4, chased_at = $5, content = $6 WHERE id = $1"
_OF_PROCEDURE = f"{_SELECT} ORDER BY due_at, id LIMIT {MAX_IMPROVEMENTS}"
_ONE = f"{_SELECT} AND id = $2 FOR UPDATE"
_COUNT = "SELECT count(*) FROM improvement WHERE procedure = $1"
_OVERDUE = f"""
{_SELECT} AND due_at <= $2 AND state = 'open' AND chased_at IS NULL
ORDER BY due_at LIMIT 100 FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Improvement:
    """A measure: `owner` is a person or a department, `state` is open, done or confirmed; `texts` are the words of each step."""

    id: UUID
    procedure: str
    case: str
    owner: str
    text: str
    due_at: datetime
    added_at: datetime
    added_by: str
    state: str = "open"
    done_at: datetime | None = None
    done_by: str = ""
    chased_at: datetime | None = None
    duty: str = ""
    texts: dict[str, str] = field(default_factory=dict)

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have been done by now."""
        return self.state == "open" and self.due_at <= now


async def insert_improvement(tx: Transaction, improvement: Improvement) -> None:
    """Store a new measure."""
    one = improvement
    values = (one.id, one.procedure, one.case, one.state, one.due_at, one.added_at, one.done_at, one.chased_at, _content(one))
    await tx.copy_rows("improvement", _COLUMNS, [values])


async def update_improvement(tx: Transaction, improvement: Improvement) -> None:
    """Store the state of a measure."""
    one = improvement
    await tx.execute(_UPDATE, one.id, one.state, one.due_at, one.done_at, one.chased_at, _content(one))


async def load_improvements(tx: Transaction, procedure: str) -> list[Improvement]:
    """The measures of a procedure by due instant."""
    return [_improvement(row) for row in await tx.fetch(_OF_PROCEDURE, procedure)]


async def lock_improvement(tx: Transaction, procedure: str, improvement_id: UUID) -> Improvement | None:
    """A measure, locked until the transaction ends; None if there is none."""
    row = await tx.fetchrow(_ONE, procedure, improvement_id)
    return None if row is None else _improvement(row)


async def count_improvements(tx: Transaction, procedure: str) -> int:
    """Return the number of measures of a procedure."""
    return int(await tx.fetchval(_COUNT, procedure))


async def lock_overdue(tx: Transaction, procedure: str, now: datetime) -> list[Improvement]:
    """Measures that should have been done by now and whose owner was not informed yet."""
    return [_improvement(row) for row in await tx.fetch(_OVERDUE, procedure, now)]


def _content(one: Improvement) -> bytes:
    fields = {"owner": one.owner, "text": one.text, "added_by": one.added_by, "done_by": one.done_by, "duty": one.duty, "texts": one.texts}
    return orjson.dumps(fields)


def _improvement(row: Mapping[str, Any]) -> Improvement:
    columns = {name: row[name] for name in ("id", "procedure", "state", "due_at", "added_at", "done_at", "chased_at")}
    return Improvement(**columns, case=row["case_id"], **orjson.loads(row["content"]))
