"""Reads the runtime's table `timer`: which cases have something due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.runtime.database.database import Transaction

_DUE = "SELECT 1 FROM timer WHERE due_at <= $1 LIMIT 1"
# LEFT JOIN: without an armed timer the gauges have to show 0, not the last number.
_DUE_WITHIN = """
SELECT h, count(timer.due_at) AS n FROM unnest($2::int[]) AS h
LEFT JOIN timer ON timer.due_at <= $1::timestamptz + make_interval(hours => h) GROUP BY h
"""


async def has_timer_due(tx: Transaction, instant: datetime) -> bool:
    """Whether a timer is due at or before the instant."""
    return await tx.fetchval(_DUE, instant) is not None


async def count_cases_due_within(tx: Transaction, now: datetime, hours: Sequence[int]) -> dict[int, int]:
    """By number of hours: how many cases have something due within so many hours of `now` (domain time)."""
    return {row["h"]: row["n"] for row in await tx.fetch(_DUE_WITHIN, now, list(hours))}
