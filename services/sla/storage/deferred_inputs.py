"""Reads and writes table `held`: inputs that wait for their case or for earlier deadlines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from shared.runtime.database.database import Transaction

_LOAD_DEFERRED = "SELECT id, case_id, at, input FROM held WHERE case_id = ANY($1::text[]) ORDER BY case_id, at, id"
_INSERT_DEFERRED = "INSERT INTO held (case_id, at, input) SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::bytea[])"


@dataclass(frozen=True, slots=True)
class DeferredInput:
    """An input that waits: for its case to be registered, or for what was due before it."""

    id: int
    case: str
    at: datetime
    input: dict[str, Any]


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
