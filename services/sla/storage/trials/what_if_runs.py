"""Writes and reads table `what_if_run`; by the database's clock, since any process may run a trial, and another one shows it."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

import orjson

from shared.runtime.database.database import Transaction

RUNNING, DONE, CANCELLED, FAILED = "running", "done", "cancelled", "failed"
# A process that died writes no end. A live one writes each second, so that after a minute nobody carries the trial on.
_END_DEAD = "UPDATE what_if_run SET state = 'failed' WHERE person = $1 AND state = 'running' AND beat_at < now() - interval '60 seconds'"
_DELETE_FORMER = "DELETE FROM what_if_run WHERE state <> 'running' AND (person = $1 OR asked_at < now() - interval '1 day')"
_START = """
INSERT INTO what_if_run (id, person, procedure, state, asked) VALUES ($1, $2, $3, 'running', $4)
ON CONFLICT (person) WHERE state = 'running' DO NOTHING RETURNING id
"""
_BEAT = "UPDATE what_if_run SET done = $2, total = $3, beat_at = now() WHERE id = $1 AND state = 'running' RETURNING id"
_FINISH = "UPDATE what_if_run SET state = $2, result = $3, done = $4, total = $5 WHERE id = $1 AND state = 'running'"
_FAIL = "UPDATE what_if_run SET state = 'failed' WHERE id = $1 AND state = 'running'"
_CANCEL = "UPDATE what_if_run SET state = 'cancelled' WHERE id = $1 AND person = $2 AND state = 'running'"
_LOAD = """
SELECT id, procedure, CASE WHEN state = 'running' AND beat_at < now() - interval '60 seconds' THEN 'failed' ELSE state END AS state,
       asked, done, total, result
  FROM what_if_run WHERE id = $1 AND person = $2
"""


class WhatIfRun(NamedTuple):
    """A trial: what was asked, how many of its cases are done, and the result once it is."""

    id: UUID
    procedure: str
    state: str
    asked: dict[str, Any]
    done: int
    total: int
    result: dict[str, Any] | None


async def start(tx: Transaction, run_id: UUID, person: str, procedure: str, asked: dict[str, Any]) -> bool:
    """Begin a trial in place of the person's last one; False while another one of his runs."""
    await tx.execute(_END_DEAD, person)
    await tx.execute(_DELETE_FORMER, person)
    return await tx.fetchval(_START, run_id, person, procedure, orjson.dumps(asked)) is not None


async def beat(tx: Transaction, run_id: UUID, done: int, total: int) -> bool:
    """Write how far a trial is; False if it was cancelled."""
    return await tx.fetchval(_BEAT, run_id, done, total) is not None


async def finish(tx: Transaction, run_id: UUID, result: dict[str, Any], done: int, total: int) -> None:
    """Keep the result of a trial that was not cancelled meanwhile."""
    await tx.execute(_FINISH, run_id, DONE, orjson.dumps(result), done, total)


async def fail(tx: Transaction, run_id: UUID) -> None:
    """End a trial without a result; one that has ended stays as it is."""
    await tx.execute(_FAIL, run_id)


async def cancel(tx: Transaction, run_id: UUID, person: str) -> None:
    """End a person's trial; one that has ended stays as it is."""
    await tx.execute(_CANCEL, run_id, person)


async def load(tx: Transaction, run_id: UUID, person: str) -> WhatIfRun | None:
    """A trial of the person's; no one reads those of others, who may see other cases."""
    row = await tx.fetchrow(_LOAD, run_id, person)
    if row is None:
        return None
    result = None if row["result"] is None else orjson.loads(row["result"])
    return WhatIfRun(row["id"], row["procedure"], row["state"], orjson.loads(row["asked"]), row["done"], row["total"], result)
