"""Reads and writes table `duty`: the duties that were carried out, each with its report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from shared.runtime.database.database import Transaction

_PERIODS = "SELECT duty, period FROM duty WHERE procedure = $1"
_COMPLETED = """
SELECT procedure, duty, period, carried_out_at, report FROM duty WHERE $1 = '' OR procedure = $1 ORDER BY procedure, period, duty
"""
_INSERT = """
INSERT INTO duty (procedure, duty, period, carried_out_at, report) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING duty
"""


@dataclass(frozen=True, slots=True)
class CompletedDuty:
    """A duty that was carried out, with its report; `period` is the period's first instant."""

    procedure: str
    duty: str
    period: datetime
    carried_out_at: datetime
    report: dict[str, Any]


async def completed_periods(tx: Transaction, procedure: str) -> set[tuple[str, datetime]]:
    """Duty id and period of each duty of a procedure that was carried out."""
    return {(row["duty"], row["period"]) for row in await tx.fetch(_PERIODS, procedure)}


async def completed_duties(tx: Transaction, procedure: str = "") -> list[CompletedDuty]:
    """The duties of a procedure, or of all, that were carried out, oldest first."""
    rows = await tx.fetch(_COMPLETED, procedure)
    return [CompletedDuty(row["procedure"], row["duty"], row["period"], row["carried_out_at"], orjson.loads(row["report"])) for row in rows]


async def insert_duty(tx: Transaction, duty: CompletedDuty) -> bool:
    """Store a duty; False if another process has stored it for this period already."""
    report = orjson.dumps(duty.report)
    inserted = await tx.fetchval(_INSERT, duty.procedure, duty.duty, duty.period, duty.carried_out_at, report)
    return inserted is not None
