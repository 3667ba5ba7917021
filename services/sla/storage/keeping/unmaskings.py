"""Writes and reads table `unmasking`: who saw a complainant's contact data, which of them, and why. It holds none of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.runtime.database.database import Transaction

_INSERT = "INSERT INTO unmasking (id, case_id, person, fields, reason, at) VALUES ($1, $2, $3, $4, $5, $6)"
_SELECT = "SELECT person, fields, reason, at FROM unmasking WHERE case_id = $1 ORDER BY at DESC, id LIMIT 200"


@dataclass(frozen=True, slots=True)
class Unmasking:
    """A person saw these fields at an instant."""

    person: str
    fields: list[str]
    reason: str
    at: datetime


async def insert_unmasking(tx: Transaction, unmasking_id: UUID, case_id: str, unmasking: Unmasking) -> None:
    """Record an unmasking."""
    await tx.execute(_INSERT, unmasking_id, case_id, unmasking.person, unmasking.fields, unmasking.reason, unmasking.at)


async def load_unmaskings(tx: Transaction, case_id: str) -> list[Unmasking]:
    """The latest unmaskings of a case, the latest first."""
    return [Unmasking(*row.values()) for row in await tx.fetch(_SELECT, case_id)]
