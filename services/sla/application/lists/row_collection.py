"""Reads the cases of a list in the order of their receipt, page by page in one snapshot, and spools their rows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from services.sla.application.lists.row_spool import RowSpool
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lists.case_rows import ListRows, ListScope
from services.sla.domain.lists.list_record import list_record
from services.sla.domain.views import redaction
from services.sla.storage import case_list, ledgers
from services.sla.storage.case_list import CaseFilter, CasePosition, VisibleCases
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.model.form_layout.lists import CaseListEntry
from shared.procedures.model.procedure import Procedure
from shared.runtime.database.database import Transaction

PAGE_CASES = 100
_CASES_BETWEEN_YIELDS = 5


@dataclass(frozen=True, slots=True)
class ListReader:
    """The reader of a list: `visible` bounds the statement, `texts` decides on each case.

    `texts` gets a case and the stamp of the context of its latest decision, and returns None for a case that the reader may not read.
    """

    texts: Callable[[Case, str], FormTexts | None]
    visible: VisibleCases | None = None


async def collect_rows(tx: Transaction, procedure: Procedure, entry: CaseListEntry, scope: ListScope, reader: ListReader) -> RowSpool:
    """The rows of a list; the caller closes the spool. Reads one state of the database if the transaction does."""
    rows, spool = ListRows(procedure, entry, scope), RowSpool(entry.order)
    try:
        await _collect(tx, rows, spool, (selection(procedure.id, entry, scope), scope.until, reader))
    except BaseException:
        spool.close()
        raise
    return spool


async def _collect(tx: Transaction, rows: ListRows, spool: RowSpool, source: tuple[CaseFilter, datetime | None, ListReader]) -> None:
    where, until, reader = source
    after: CasePosition | None = None
    while True:
        page = await case_list.load_page(tx, where, reader.visible, after, PAGE_CASES, oldest_first=True)
        events = await ledgers.load_events_of_cases(tx, [case.id for _, case in page])
        for number, (_, case) in enumerate(page):
            case_events, basis = events[case.id]
            texts = reader.texts(case, basis)
            if texts is not None:
                _add_row(rows, spool, case.id, (case_events, until, texts))
            if number % _CASES_BETWEEN_YIELDS == 0:
                await asyncio.sleep(0)
        if len(page) < PAGE_CASES:
            return
        after = page[-1][0]


def _add_row(rows: ListRows, spool: RowSpool, case_id: str, source: tuple[list[dict[str, object]], datetime | None, FormTexts]) -> None:
    events, until, texts = source
    clocks = frozenset(clock.id for clock in texts.procedure.clocks if clock.due)
    record = list_record(events, clocks, until)
    if not rows.includes(record, texts):
        return
    # Redacted as in the case's own view, so that a column cannot show what that view hides.
    shown = list_record((redaction.redact(event, texts.hidden) for event in events), clocks, until)
    spool.add(case_id, rows.sort_keys(shown, texts), rows.cells(shown, texts))


def selection(procedure_id: str, entry: CaseListEntry, scope: ListScope) -> CaseFilter:
    """The filter of the statement: at least the cases of the list, so that it does not read those of all years."""
    where = CaseFilter(procedure=procedure_id, received_from=scope.where.received_from, received_before=scope.where.received_before)
    bounds = [instant for instant in (scope.until, scope.where.received_before) if instant is not None]
    where = replace(where, received_before=min(bounds, default=None))
    if scope.since is not None:
        if entry.cases == "received":
            where = replace(where, received_from=max(scope.since, scope.where.received_from or scope.since))
        else:
            where = replace(where, open_or_changed_since=scope.since)
    if scope.until is None:
        # The columns hold the present state, and the list is one of the present state.
        where = replace(where, status=scope.where.status, class_=scope.where.class_, department=scope.where.department)
    return where
