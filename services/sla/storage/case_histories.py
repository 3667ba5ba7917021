"""Reads cases with their whole ledger, a page at a time, for verification, replay and evidence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, cast

import orjson

from services.sla.domain.evidence.case_history import CaseHistory, LedgerRow, case_timeline
from services.sla.domain.reports.statistics import CaseTimeline
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
_TIMELINE_CASES = """
SELECT id FROM cases c WHERE procedure = $1 AND received_at < $2 AND id > $4 AND (status = 'open' OR received_at >= $3
    OR EXISTS (SELECT FROM ledger e WHERE e.case_id = c.id AND e.at >= $3))
ORDER BY id LIMIT $5
"""
_TIMELINE_EVENTS = "SELECT case_id, body FROM ledger WHERE case_id = ANY($1::text[]) ORDER BY case_id, sequence"
_TIMELINE_PAGE = 500


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


async def load_timelines(tx: Transaction, procedure: str, since: datetime, until: datetime) -> AsyncIterator[CaseTimeline]:
    """The cases that matter to a period, a page at a time: received before its end, and open, received or changed since its start."""
    after = ""
    while page := [row["id"] for row in await tx.fetch(_TIMELINE_CASES, procedure, until, since, after, _TIMELINE_PAGE)]:
        after = page[-1]
        bodies: dict[str, list[dict[str, Any]]] = {case: [] for case in page}
        for row in await tx.fetch(_TIMELINE_EVENTS, page):
            bodies[row["case_id"]].append(orjson.loads(row["body"]))
        for case, events in bodies.items():
            yield case_timeline(case, events)


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
