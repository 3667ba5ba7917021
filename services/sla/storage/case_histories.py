"""Reads cases with their whole ledger, a page at a time, for verification, replay, evidence and reports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import orjson

from services.sla.domain.evidence.case_history import CaseHistory, LedgerRow
from services.sla.domain.reports.case_timeline import CaseTimeline, case_timeline
from shared.runtime.database.database import Database, Transaction

HISTORY_PAGE_SIZE = 200
TIMELINE_PAGE_SIZE = 500
_COLUMNS = "SELECT id, head, sequence, calendar, state, personal_key FROM cases"
_PAGE = f"{_COLUMNS} WHERE id > $1 AND ($2 = '' OR procedure = $2) ORDER BY id LIMIT $3"
_NAMED = f"{_COLUMNS} WHERE id = ANY($1::text[])"
# One statement, so that case and ledger are of one snapshot while sla keeps writing. Rows with place 0 are cases.
_WITH_LEDGER = """
WITH page AS MATERIALIZED ({page})
SELECT id AS case_id, 0 AS place, sequence, state AS body, head AS hash, calendar AS type, NULL::timestamptz AS at,
    NULL::timestamptz AS recorded_at, '' AS cause, '' AS origin, '' AS basis, personal_key
FROM page
UNION ALL
SELECT case_id, 1, sequence, body, hash, type, at, recorded_at, cause, origin, basis, NULL::bytea
FROM ledger WHERE case_id IN (SELECT id FROM page)
ORDER BY case_id, place, sequence
"""
_ORPHANED_LEDGERS = (
    "SELECT DISTINCT case_id FROM ledger WHERE NOT EXISTS (SELECT FROM cases WHERE id = case_id) ORDER BY case_id LIMIT 1000"
)
# UNION instead of OR, so that each half is read by an index of its own.
_CASES_OF_PERIOD = """
SELECT id FROM cases WHERE procedure = $1 AND received_at < $2 AND changed_at >= $3
UNION SELECT id FROM cases WHERE procedure = $1 AND received_at < $2 AND status = 'open' ORDER BY id
"""
_EVENTS = "SELECT case_id, body FROM ledger WHERE case_id = ANY($1::text[]) ORDER BY case_id, sequence"


async def load_case_histories(database: Database, case_ids: Sequence[str] = (), procedure: str = "") -> AsyncIterator[CaseHistory]:
    """The named cases, or all cases (of a procedure), ordered by id; each page is one transaction."""
    pages = _named_pages(database, sorted(set(case_ids))) if case_ids else _all_pages(database, procedure)
    async for page in pages:
        for history in page:
            yield history


async def load_timelines(tx: Transaction, procedure: str, since: datetime, until: datetime) -> AsyncIterator[CaseTimeline]:
    """The cases that count in a period: received before its end, and open, received or changed since its start."""
    case_ids = [row["id"] for row in await tx.fetch(_CASES_OF_PERIOD, procedure, until, since)]
    for start in range(0, len(case_ids), TIMELINE_PAGE_SIZE):
        page = case_ids[start : start + TIMELINE_PAGE_SIZE]
        bodies: dict[str, list[dict[str, Any]]] = {case_id: [] for case_id in page}
        for row in await tx.fetch(_EVENTS, page):
            bodies[row["case_id"]].append(orjson.loads(row["body"]))
        for case_id, events in bodies.items():
            yield case_timeline(case_id, events)


async def orphaned_ledgers(tx: Transaction) -> list[str]:
    """Ids of cases that have ledger entries and no row, at most 1,000."""
    return [row["case_id"] for row in await tx.fetch(_ORPHANED_LEDGERS)]


async def _named_pages(database: Database, case_ids: Sequence[str]) -> AsyncIterator[list[CaseHistory]]:
    for start in range(0, len(case_ids), HISTORY_PAGE_SIZE):
        yield await _fetch_page(database, _NAMED, case_ids[start : start + HISTORY_PAGE_SIZE])


async def _all_pages(database: Database, procedure: str) -> AsyncIterator[list[CaseHistory]]:
    last_id = ""
    while page := await _fetch_page(database, _PAGE, last_id, procedure, HISTORY_PAGE_SIZE):
        last_id = page[-1].case
        yield page


async def _fetch_page(database: Database, page_sql: str, *parameters: Any) -> list[CaseHistory]:
    async with database.transaction() as tx:
        return _to_histories(await tx.fetch(_WITH_LEDGER.format(page=page_sql), *parameters))


def _to_histories(rows: Sequence[Any]) -> list[CaseHistory]:
    """One history a case out of rows in which each case precedes its ledger entries."""
    histories: list[CaseHistory] = []
    entries: list[LedgerRow] = []
    for case_id, place, *columns, personal_key in rows:
        row = LedgerRow(*columns)
        if place == 0:
            entries = []
            histories.append(CaseHistory(case_id, row.hash, row.sequence, row.type, row.body, entries, personal_key))
        else:
            entries.append(row)
    return histories
