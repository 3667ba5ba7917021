"""Reads ledgers as they are stored, and seals years: what proofs, figures and replays are made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import orjson

from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.evidence import decision_context as bases
from services.sla.domain.evidence import hash_chain, merkle
from services.sla.domain.evidence.case_history import CaseHistory, LedgerRow
from services.sla.domain.rules.rulebook import Rulebook
from shared.runtime.database.database import Database, Transaction

PAGE = 200
_COLUMNS = "SELECT id, head, sequence, calendar, state FROM cases"
_PAGE = f"{_COLUMNS} WHERE id > $1 AND ($2 = '' OR procedure = $2) ORDER BY id LIMIT $3"
_NAMED = f"{_COLUMNS} WHERE id = ANY($1::text[])"
_WITH_LEDGER = """
WITH page AS MATERIALIZED ({page})
SELECT id AS case_id, 0 AS place, sequence, state AS body, head AS hash, calendar AS type, NULL::timestamptz AS at,
    NULL::timestamptz AS recorded_at, '' AS cause, '' AS origin, '' AS basis
FROM page
UNION ALL
SELECT case_id, 1, sequence, body, hash, type, at, recorded_at, cause, origin, basis
FROM ledger WHERE case_id IN (SELECT id FROM page)
ORDER BY case_id, place, sequence
"""
"""Case rows and ledger lines in one statement, so that both are of one moment while sla goes on working."""
_ORPHANED_LEDGERS = (
    "SELECT DISTINCT case_id FROM ledger WHERE NOT EXISTS (SELECT FROM cases WHERE id = case_id) ORDER BY case_id LIMIT 1000"
)
_ENDED = """
SELECT c.id, c.sequence, c.head FROM cases c
JOIN (SELECT case_id, max(at) AS at FROM ledger WHERE type IN ('closed', 'refused', 'withdrawn') GROUP BY case_id) e ON e.case_id = c.id
WHERE c.status <> 'open' AND e.at >= $1 AND e.at < $2 ORDER BY c.id COLLATE "C"
"""
_LEAVES = 'SELECT case_id, sequence, head FROM seal_leaf WHERE year = $1 ORDER BY case_id COLLATE "C"'


class YearSealError(ValueError):
    """A year that cannot be sealed; the text says why and what would help."""


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


def encode_seal_leaf(case: str, sequence: int, head: bytes) -> bytes:
    """The bytes of a leaf: case, sequence and head, as canonical JSON."""
    return hash_chain.canonical_json({"case": case, "head": head.hex(), "sequence": sequence})


async def load_case_histories(database: Database, case_ids: Sequence[str] = (), procedure: str = "") -> AsyncIterator[CaseHistory]:
    """The named cases, or all (of a procedure), a page at a time, each page read of one moment."""
    after, wanted = "", sorted(set(case_ids))
    while True:
        async with database.transaction() as tx:
            asked = (_NAMED, wanted[:PAGE]) if case_ids else (_PAGE, after, procedure, PAGE)
            page = _grouped(await tx.fetch(_WITH_LEDGER.format(page=asked[0]), *asked[1:]))
        for dossier in page:
            yield dossier
        if case_ids:
            wanted = wanted[PAGE:]
        elif page:
            after = page[-1].case
        if not (wanted if case_ids else page):
            return


async def orphaned_ledgers(tx: Transaction) -> list[str]:
    """Cases that have a ledger and no row: somebody removed the case."""
    return [row["case_id"] for row in await tx.fetch(_ORPHANED_LEDGERS)]


def _grouped(rows: Sequence[Any]) -> list[CaseHistory]:
    found: list[CaseHistory] = []
    for case, place, *columns in rows:
        row = LedgerRow(*columns)
        if place == 0:
            found.append(CaseHistory(case, row.hash, row.sequence, row.type, row.body, []))
        else:
            cast("list[LedgerRow]", found[-1].rows).append(row)
    return found


class HistoricalRulebooks:
    """The rulebooks of earlier decisions, by the stamp of what they rested on."""

    def __init__(self, contents: Mapping[str, bytes], calendars: Mapping[str, str]) -> None:
        self._contents = contents
        self._calendars = calendars
        self._made: dict[str, RulebookRegistry] = {}

    @classmethod
    async def load(cls, tx: Transaction) -> HistoricalRulebooks:
        """All that is kept."""
        rows = await tx.fetch("SELECT stamp, calendar, content FROM basis")
        return cls({row["stamp"]: row["content"] for row in rows}, {row["calendar"]: row["stamp"] for row in rows})

    def for_context(self, stamp: str) -> RulebookRegistry:
        """The rulebooks of a basis; raises `ValueError` if it is not kept."""
        if stamp not in self._contents:
            raise ValueError(f"what the decision rested on ({stamp or 'nothing is named'}) is not kept")
        if stamp not in self._made:
            kept = bases.parse_context(self._contents[stamp])
            if kept.stamp != stamp:
                raise ValueError(f"what is kept as {stamp} was changed: its stamp is {kept.stamp}")
            self._made[stamp] = RulebookRegistry.from_decision_context(kept)
        return self._made[stamp]

    def rulebook(self, stamp: str, procedure: str, version: int, parameters: Mapping[str, Any]) -> Rulebook:
        """The rulebook that a decision was made with; raises `ValueError` (also `ProcedureError`)."""
        return self.for_context(stamp).get(procedure, version, dict(parameters))

    def context_by_calendar(self, calendar_stamp: str) -> str | None:
        """A basis with these calendars; None if there is none."""
        return self._calendars.get(calendar_stamp)


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
    root = merkle.merkle_root([each.data for each in leaves])
    await tx.execute("INSERT INTO seal (year, root, cases, sealed_at) VALUES ($1, $2, $3, $4)", year, root, len(leaves), now)
    await tx.execute(
        "INSERT INTO seal_leaf (year, case_id, sequence, head) SELECT $1, * FROM unnest($2::text[], $3::int[], $4::bytea[])",
        year,
        [each.case for each in leaves],
        [each.sequence for each in leaves],
        [each.head for each in leaves],
    )
    return YearSeal(year, root, leaves, now, created=True)


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


async def seal_faults(tx: Transaction, year_seal: YearSeal) -> list[str]:
    """What is wrong with a seal: its root, or a ledger that no longer has the head that was sealed."""
    problems = (
        []
        if merkle.merkle_root([each.data for each in year_seal.leaves]) == year_seal.root
        else [f"the seal of {year_seal.year} does not fit its cases"]
    )
    rows = await tx.fetch(
        "SELECT s.case_id FROM seal_leaf s LEFT JOIN ledger l ON l.case_id = s.case_id AND l.sequence = s.sequence AND l.hash = s.head"
        " WHERE s.year = $1 AND l.case_id IS NULL ORDER BY s.case_id",
        year_seal.year,
    )
    return [*problems, *(f"case {row['case_id']} no longer has the event that the seal of {year_seal.year} binds" for row in rows)]


def stored_state(history: CaseHistory) -> dict[str, Any]:
    """A case's state as it is stored; raises `ValueError`."""
    found: dict[str, Any] = orjson.loads(history.state)
    return found
