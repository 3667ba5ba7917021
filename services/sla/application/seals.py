"""Seals a year once it is over, and checks a seal against the ledgers."""

from __future__ import annotations

from datetime import datetime

from services.sla.domain.evidence import merkle
from services.sla.storage import seals
from services.sla.storage.seals import YearSeal
from shared.runtime.database.database import Transaction


class YearSealError(ValueError):
    """A year that cannot be sealed; the text gives reason and remedy."""


async def seal_year(tx: Transaction, year: int, period: tuple[datetime, datetime], now: datetime) -> YearSeal:
    """Seal a year, or return its seal if it has one; `period` is its first instant and the first after it.

    Raises `YearSealError` for a year that is not over.
    """
    since, until = period
    if now < until:
        raise YearSealError(f"the year {year} is not over before {until.isoformat()}; seal it then")
    await seals.lock_year(tx, year)
    # A sealed year never changes: its root may have been published (ADR 13).
    existing = await seals.load_seal(tx, year)
    if existing is not None:
        return existing
    # hunan-property 3.9: closed records are bound and sealed at the end of each year.
    leaves = await seals.ended_cases(tx, since, until)
    seal = YearSeal(year, merkle.merkle_root([leaf.data for leaf in leaves]), leaves, now, created=True)
    await seals.insert_seal(tx, seal)
    return seal


async def seal_faults(tx: Transaction, seal: YearSeal) -> list[str]:
    """The faults of a seal, one line each: its root does not match its leaves, or a ledger does not contain the sealed head."""
    faults: list[str] = []
    if merkle.merkle_root([leaf.data for leaf in seal.leaves]) != seal.root:
        faults.append(f"the seal of {seal.year} does not match its cases")
    broken = await seals.broken_leaves(tx, seal.year)
    return [
        *faults,
        *(f"the ledger of case {case_id} does not contain the event that the seal of {seal.year} covers" for case_id in broken),
    ]
