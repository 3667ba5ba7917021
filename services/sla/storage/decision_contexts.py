"""Reads and writes table `basis`: organisation and calendars that decisions were made with."""

from __future__ import annotations

from services.sla.domain.evidence.decision_context import DecisionContext
from shared.runtime.database.database import Transaction


async def insert_decision_context(tx: Transaction, context: DecisionContext, calendar_stamp: str) -> None:
    """Keep what decisions rest on from now on."""
    await tx.execute(
        "INSERT INTO basis (stamp, calendar, content) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        context.stamp,
        calendar_stamp,
        context.content,
    )
