"""Reads the runtime's table `timer`: whether a case has something due."""

from __future__ import annotations

from datetime import datetime

from shared.runtime.database.database import Transaction

_DUE = "SELECT 1 FROM timer WHERE due_at <= $1 LIMIT 1"


async def has_timer_due(tx: Transaction, instant: datetime) -> bool:
    """Whether a timer is due at or before the instant."""
    return await tx.fetchval(_DUE, instant) is not None
