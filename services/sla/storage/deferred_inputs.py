"""Reads and writes table `held`: inputs that wait for their case or for earlier deadlines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from shared.runtime.database.database import Transaction

# By id last: inputs of one instant are applied in the order in which they arrived.
_LOAD = "SELECT id, case_id, at, input FROM held WHERE case_id = ANY($1::text[]) ORDER BY case_id, at, id"
_INSERT = "INSERT INTO held (case_id, at, input) SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::bytea[])"
_DELETE = "DELETE FROM held WHERE id = ANY($1::bigint[])"
# Inputs of registered cases stay, however old: they wait for a deadline, or for a dead letter that an operator has not settled.
_PRUNE = """
DELETE FROM held WHERE id = ANY(
    SELECT id FROM held WHERE at < $1 AND NOT EXISTS (SELECT FROM cases WHERE cases.id = held.case_id) ORDER BY id LIMIT 1000
    FOR UPDATE SKIP LOCKED)
RETURNING case_id
"""
_COUNT = "SELECT count(*) FROM held"


class NewDeferredInput(NamedTuple):
    """An input that the transaction is about to defer; `at` is when it happened."""

    case: str
    at: datetime
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeferredInput:
    """A stored input that waits until its case is registered, or until earlier deadlines have been processed."""

    id: int
    case: str
    at: datetime
    input: dict[str, Any]


async def load_deferred(tx: Transaction, ids: Iterable[str]) -> dict[str, list[DeferredInput]]:
    """The deferred inputs of these cases, by case, in the order in which they happened."""
    by_case: dict[str, list[DeferredInput]] = {}
    for row in await tx.fetch(_LOAD, sorted(set(ids))):
        deferred = DeferredInput(row["id"], row["case_id"], row["at"], orjson.loads(row["input"]))
        by_case.setdefault(deferred.case, []).append(deferred)
    return by_case


async def insert_deferred(tx: Transaction, inputs: Sequence[NewDeferredInput]) -> None:
    """Store inputs."""
    if inputs:
        await tx.execute(_INSERT, [i.case for i in inputs], [i.at for i in inputs], [orjson.dumps(i.input) for i in inputs])


async def delete_deferred(tx: Transaction, ids: Sequence[int]) -> None:
    """Delete inputs that have been applied."""
    if ids:
        await tx.execute(_DELETE, list(ids))


async def prune_unregistered(tx: Transaction, before: datetime) -> list[str]:
    """Delete up to 1,000 inputs that happened before an instant and whose case was never registered; returns the cases of each."""
    return [row["case_id"] for row in await tx.fetch(_PRUNE, before)]


async def count_deferred(tx: Transaction) -> int:
    """The number of deferred inputs of all cases."""
    return int(await tx.fetchval(_COUNT))
