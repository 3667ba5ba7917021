"""Reads and writes year seals: tables `seal` and `seal_leaf`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.sla.domain.evidence.seal_leaf import encode_seal_leaf
from shared.runtime.database.database import Transaction

_ENDED = """
SELECT c.id, c.sequence, c.head FROM cases c
JOIN (SELECT case_id, max(at) AS at FROM ledger WHERE type IN ('closed', 'refused', 'withdrawn') GROUP BY case_id) e ON e.case_id = c.id
WHERE c.status <> 'open' AND e.at >= $1 AND e.at < $2 ORDER BY c.id COLLATE "C"
"""
_LEAVES = 'SELECT case_id, sequence, head FROM seal_leaf WHERE year = $1 ORDER BY case_id COLLATE "C"'


@dataclass(frozen=True, slots=True)
class SealLeaf:
    """A case's head as a seal binds it."""

    case: str
    sequence: int
    head: bytes

    @property
    def data(self) -> bytes:
        """What the Merkle tree hashes."""
        return encode_seal_leaf(self.case, self.sequence, self.head)


@dataclass(frozen=True, slots=True)
class YearSeal:
    """A sealed year: the Merkle root over the heads of the cases that ended in it; `fresh` if it was sealed just now."""

    year: int
    root: bytes
    leaves: Sequence[SealLeaf]
    sealed_at: datetime
    created: bool = False


async def load_seal(tx: Transaction, year: int) -> YearSeal | None:
    """A year's seal; None if it has none."""
    row = await tx.fetchrow("SELECT root, sealed_at FROM seal WHERE year = $1", year)
    if row is None:
        return None
    leaves = [SealLeaf(each["case_id"], each["sequence"], each["head"]) for each in await tx.fetch(_LEAVES, year)]
    return YearSeal(year, row["root"], leaves, row["sealed_at"])


async def load_seals(tx: Transaction) -> list[YearSeal]:
    """Every year's seal, oldest first."""
    years = [row["year"] for row in await tx.fetch("SELECT year FROM seal ORDER BY year")]
    return [found for year in years if (found := await load_seal(tx, year)) is not None]


async def load_seals_of_case(tx: Transaction, case: str) -> list[YearSeal]:
    """The seals that bind a case."""
    years = [row["year"] for row in await tx.fetch("SELECT year FROM seal_leaf WHERE case_id = $1 ORDER BY year", case)]
    return [found for year in years if (found := await load_seal(tx, year)) is not None]
