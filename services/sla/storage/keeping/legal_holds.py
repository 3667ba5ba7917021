"""Reads and writes table `legal_hold`: cases that may be neither erased nor deleted, whatever their age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.runtime.database.database import Transaction

_INSERT = """
INSERT INTO legal_hold (case_id, because, held_by, since) VALUES ($1, $2, $3, $4) ON CONFLICT (case_id) DO NOTHING RETURNING case_id
"""
_SELECT = "SELECT case_id, because, held_by, since FROM legal_hold ORDER BY since, case_id"


@dataclass(frozen=True, slots=True)
class LegalHold:
    """A case that is held: why, by whom and since when."""

    case: str
    because: str
    held_by: str
    since: datetime


async def insert_hold(tx: Transaction, hold: LegalHold) -> bool:
    """Hold a case; False if it is held already."""
    return await tx.fetchval(_INSERT, hold.case, hold.because, hold.held_by, hold.since) is not None


async def delete_hold(tx: Transaction, case_id: str) -> bool:
    """Release a case; False if it is not held."""
    return (await tx.execute("DELETE FROM legal_hold WHERE case_id = $1", case_id)).endswith(" 1")


async def load_holds(tx: Transaction) -> list[LegalHold]:
    """All holds, oldest first."""
    return [LegalHold(*row.values()) for row in await tx.fetch(_SELECT)]


async def find_held(tx: Transaction, cases: Sequence[str]) -> set[str]:
    """Those of the cases that are held."""
    return {row["case_id"] for row in await tx.fetch("SELECT case_id FROM legal_hold WHERE case_id = ANY($1::text[])", list(cases))}
