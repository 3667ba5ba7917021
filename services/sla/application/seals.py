"""Seals a year once it is over, and checks a seal against the ledgers."""

from __future__ import annotations

from datetime import datetime

from services.sla.domain.evidence import hash_chain
from services.sla.storage.seals import _ENDED, SealLeaf, YearSeal, load_seal
from shared.runtime.database.database import Transaction


class YearSealError(ValueError):
    """A year that cannot be sealed; the text says why and what would help."""


async def seal_year(tx: Transaction, year: int, period: tuple[datetime, datetime], now: datetime) -> YearSeal:
    """Seal a year, once; the year's seal as it stands if it was sealed before. Raises `SealError` for a year that is not over."""
    since, until = period
    if now < until:
        raise YearSealError(f"the year {year} is not over before {until.isoformat()}; seal it then")
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('jiesu.seal'), $1)", year)
    found = await load_seal(tx, year)
    if found is not None:
        return found
    leaves = [SealLeaf(row["id"], row["sequence"], row["head"]) for row in await tx.fetch(_ENDED, since, until)]
    root = hash_chain.merkle_root([each.data for each in leaves])
    await tx.execute("INSERT INTO seal (year, root, cases, sealed_at) VALUES ($1, $2, $3, $4)", year, root, len(leaves), now)
    await tx.execute(
        "INSERT INTO seal_leaf (year, case_id, sequence, head) SELECT $1, * FROM unnest($2::text[], $3::int[], $4::bytea[])",
        year,
        [each.case for each in leaves],
        [each.sequence for each in leaves],
        [each.head for each in leaves],
    )
    return YearSeal(year, root, leaves, now, created=True)


async def seal_faults(tx: Transaction, year_seal: YearSeal) -> list[str]:
    """What is wrong with a seal: its root, or a ledger that no longer has the head that was sealed."""
    problems = (
        []
        if hash_chain.merkle_root([each.data for each in year_seal.leaves]) == year_seal.root
        else [f"the seal of {year_seal.year} does not fit its cases"]
    )
    rows = await tx.fetch(
        "SELECT s.case_id FROM seal_leaf s LEFT JOIN ledger l ON l.case_id = s.case_id AND l.sequence = s.sequence AND l.hash = s.head"
        " WHERE s.year = $1 AND l.case_id IS NULL ORDER BY s.case_id",
        year_seal.year,
    )
    return [*problems, *(f"case {row['case_id']} no longer has the event that the seal of {year_seal.year} binds" for row in rows)]
