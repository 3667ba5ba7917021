"""Records the runs of `jiesu retention` (table `retention_run`): when, whether anything has a limit, and how they ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.runtime.database.database import Transaction

RUNNING, DONE, FAILED = "running", "done", "failed"
_KEPT = timedelta(days=400)
_INSERT = "INSERT INTO retention_run (id, started_at, outcome, limits) VALUES ($1, $2, $3, $4)"
_END = "UPDATE retention_run SET ended_at = $2, outcome = $3 WHERE id = $1"
_PRUNE = "DELETE FROM retention_run WHERE started_at < $1"
_LATEST = "SELECT outcome, limits FROM retention_run ORDER BY started_at DESC, id DESC LIMIT 1"
_LAST_DONE = "SELECT max(started_at) FROM retention_run WHERE outcome = 'done'"
# Who has never run it has nothing that could be past its time before the first complaint.
_BEGINNING = "SELECT LEAST((SELECT min(started_at) FROM retention_run), (SELECT min(received_at) FROM cases))"


@dataclass(frozen=True, slots=True)
class RetentionState:
    """The latest run: `limits` states whether anything had a limit then; `since` is the last success, else the first run or complaint."""

    outcome: str
    limits: bool
    since: datetime | None


async def begin_run(tx: Transaction, run: UUID, at: datetime, *, limits: bool) -> None:
    """Record a run that begins, and forget those of long ago."""
    await tx.execute(_PRUNE, at - _KEPT)
    await tx.execute(_INSERT, run, at, RUNNING, limits)


async def end_run(tx: Transaction, run: UUID, at: datetime, outcome: str) -> None:
    """Record how a run ended."""
    await tx.execute(_END, run, at, outcome)


async def load_state(tx: Transaction) -> RetentionState:
    """The latest run, and since when none has succeeded."""
    latest = await tx.fetch(_LATEST)
    since = await tx.fetchval(_LAST_DONE) or await tx.fetchval(_BEGINNING)
    return RetentionState(latest[0]["outcome"], latest[0]["limits"], since) if latest else RetentionState("", limits=False, since=since)
