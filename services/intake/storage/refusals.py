"""Writes refused submissions (table `refusal`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.retention import ROWS_IN_A_STEP, delete_in_steps

_INSERT_REFUSALS = """
INSERT INTO refusal (via, source, reference, reason, faults)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
"""
_DELETE_OLD = """
DELETE FROM refusal WHERE id IN (
    SELECT id FROM refusal WHERE refused_at < now() - $1::interval ORDER BY refused_at LIMIT $2 FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class RefusedSubmission:
    """A submission that was not registered: its source, the reason and the faults as JSON, without its content."""

    via: str
    source: str
    reference: str
    reason: str
    faults: str


async def insert_refusals(tx: Transaction, refusals: Sequence[RefusedSubmission]) -> None:
    """Insert refusals, for operators to look up."""
    if refusals:
        rows = [(r.via, r.source, r.reference, r.reason, r.faults) for r in refusals]
        await tx.execute(_INSERT_REFUSALS, *(list(column) for column in zip(*rows, strict=True)))


async def delete_old(database: Database, retention: timedelta) -> int:
    """Delete refusals that are older than the retention; returns how many."""

    async def delete_step(tx: Transaction) -> int:
        return int((await tx.execute(_DELETE_OLD, retention, ROWS_IN_A_STEP)).split()[-1])

    return await delete_in_steps(database, delete_step)
