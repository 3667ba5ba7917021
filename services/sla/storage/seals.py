"""Reads and writes year seals: tables `seal` and `seal_leaf`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.sla.domain.evidence.seal_leaf import encode_seal_leaf
from shared.runtime.database.database import Transaction

# An advisory lock, since a year that is not sealed has no row to lock.
_LOCK_YEAR = "SELECT pg_advisory_xact_lock(hashtext('jiesu.seal'), $1)"
# COLLATE "C": the order of the leaves decides the Merkle root, so it must not depend on the database's locale.
_ENDED_CASES = """
SELECT c.id, c.sequence, c.head FROM cases c
JOIN (SELECT case_id, max(at) AS at FROM ledger WHERE type IN ('closed', 'refused', 'withdrawn') GROUP BY case_id) e ON e.case_id = c.id
WHERE c.status <> 'open' AND e.at >= $1 AND e.at < $2 ORDER BY c.id COLLATE "C"
"""
_LEAVES = 'SELECT case_id, sequence, head FROM seal_leaf WHERE year = $1 ORDER BY case_id COLLATE "C"'
_SEAL = "SELECT root, sealed_at FROM seal WHERE year = $1"
_YEARS = "SELECT year FROM seal ORDER BY year"
_YEARS_OF_CASE = "SELECT year FROM seal_leaf WHERE case_id = $1 ORDER BY year"
_INSERT_SEAL = "INSERT INTO seal (year, root, cases, sealed_at) VALUES ($1, $2, $3, $4)"
_INSERT_LEAVES = "INSERT INTO seal_leaf (year, case_id, sequence, head) SELECT $1, * FROM unnest($2::text[], $3::int[], $4::bytea[])"
_BROKEN_LEAVES = """
SELECT s.case_id FROM seal_leaf s LEFT JOIN ledger l ON l.case_id = s.case_id AND l.sequence = s.sequence AND l.hash = s.head
WHERE s.year = $1 AND l.case_id IS NULL ORDER BY s.case_id
"""


@dataclass(frozen=True, slots=True)
class SealLeaf:
    """A case as a year seal covers it: id, number of its latest event, and ledger head."""

    case: str
    sequence: int
    head: bytes

    @property
    def data(self) -> bytes:
        """The bytes that the Merkle tree hashes."""
        return encode_seal_leaf(self.case, self.sequence, self.head)


@dataclass(frozen=True, slots=True)
class YearSeal:
    """A sealed year: the Merkle root over the ledger heads of the cases that ended in it.

    `created` is True if this transaction sealed the year, False if the seal was loaded.
    """

    year: int
    root: bytes
    leaves: Sequence[SealLeaf]
    sealed_at: datetime
    created: bool = False


async def lock_year(tx: Transaction, year: int) -> None:
    """Wait for other transactions that seal the year, and keep them out until this one ends."""
    await tx.execute(_LOCK_YEAR, year)


async def ended_cases(tx: Transaction, since: datetime, until: datetime) -> list[SealLeaf]:
    """The cases that ended from `since` (inclusive) to `until` (exclusive) and are not open again, ordered by id."""
    return [SealLeaf(row["id"], row["sequence"], row["head"]) for row in await tx.fetch(_ENDED_CASES, since, until)]


async def insert_seal(tx: Transaction, seal: YearSeal) -> None:
    """Store a seal and its leaves."""
    await tx.execute(_INSERT_SEAL, seal.year, seal.root, len(seal.leaves), seal.sealed_at)
    columns = [leaf.case for leaf in seal.leaves], [leaf.sequence for leaf in seal.leaves], [leaf.head for leaf in seal.leaves]
    await tx.execute(_INSERT_LEAVES, seal.year, *columns)


async def load_seal(tx: Transaction, year: int) -> YearSeal | None:
    """A year's seal; None if it has none."""
    row = await tx.fetchrow(_SEAL, year)
    if row is None:
        return None
    leaves = [SealLeaf(leaf["case_id"], leaf["sequence"], leaf["head"]) for leaf in await tx.fetch(_LEAVES, year)]
    return YearSeal(year, row["root"], leaves, row["sealed_at"])


async def load_seals(tx: Transaction) -> list[YearSeal]:
    """All seals, oldest first."""
    return await _load_years(tx, [row["year"] for row in await tx.fetch(_YEARS)])


async def load_seals_of_case(tx: Transaction, case_id: str) -> list[YearSeal]:
    """The seals that cover a case, oldest first."""
    return await _load_years(tx, [row["year"] for row in await tx.fetch(_YEARS_OF_CASE, case_id)])


async def broken_leaves(tx: Transaction, year: int) -> list[str]:
    """Ids of sealed cases whose ledger has no entry with the sealed number and hash any more."""
    return [row["case_id"] for row in await tx.fetch(_BROKEN_LEAVES, year)]


async def _load_years(tx: Transaction, years: Sequence[int]) -> list[YearSeal]:
    return [seal for year in years if (seal := await load_seal(tx, year)) is not None]
