"""Reads and writes table `duty`: the duties that were carried out, each with its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from shared.runtime.database.database import Transaction


@dataclass(frozen=True, slots=True)
class CompletedDuty:
    """A duty that was carried out: for which period, when, with which report."""

    procedure: str
    duty: str
    period: datetime
    carried_out_at: datetime
    report: dict[str, Any]


async def completed_duties(tx: Transaction, procedure: str = "") -> Sequence[CompletedDuty]:
    """The duties carried out, oldest first."""
    rows = await tx.fetch("SELECT * FROM duty WHERE $1 = '' OR procedure = $1 ORDER BY procedure, period, duty", procedure)
    return [CompletedDuty(row["procedure"], row["duty"], row["period"], row["carried_out_at"], orjson.loads(row["report"])) for row in rows]
