"""Freezes the lists of a report as they were at the end of its period, and reads them for those who may see their cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import islice
from typing import Any

import orjson

from services.sla.application.lists.row_collection import ListReader, collect_rows
from services.sla.application.lists.row_spool import RowSpool, decode_cell, encode_cell
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lists.case_rows import Cell, ListRows, ListScope
from services.sla.storage.reports import report_lists
from services.sla.storage.reports.report_lists import ReportKey
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.model.clauses import clause_ids
from shared.procedures.model.form_layout.lists import CaseListEntry
from shared.procedures.model.procedure import Procedure
from shared.runtime.database.database import Transaction
from shared.runtime.spreadsheets.table_files import TableHead

PART_ROWS = 200


async def freeze_list(
    tx: Transaction, key: ReportKey, procedure: Procedure, entry: CaseListEntry, source: tuple[ListScope, ListReader, FormTexts]
) -> dict[str, Any]:
    """Store the rows of a list, unredacted, and return what the report states of it; `source` has the scope, reader and texts."""
    scope, reader, texts = source
    rows = ListRows(procedure, entry, scope)
    spool = await collect_rows(tx, procedure, entry, scope, reader)
    digest = sha256()
    try:
        for number, part in enumerate(_parts(spool.rows()), 1):
            content = orjson.dumps([[case_id, [encode_cell(cell) for cell in cells]] for case_id, cells in part])
            digest.update(content)
            await report_lists.insert_part(tx, key, entry.id, number, content)
    finally:
        spool.close()
    return {
        "id": entry.id,
        "title": texts.names.title(entry),
        "clauses": list(clause_ids(entry.clause)),
        "columns": rows.titles(texts),
        "reads": rows.read_paths(),
        "rows": spool.count,
        "sha256": digest.hexdigest(),
    }


def _parts(rows: Iterable[tuple[str, list[Cell]]]) -> Iterator[list[tuple[str, list[Cell]]]]:
    iterator = iter(rows)
    while part := list(islice(iterator, PART_ROWS)):
        yield part


async def read_frozen_list(
    tx: Transaction, key: ReportKey, report: dict[str, Any], frozen: dict[str, Any], texts_of: Callable[[Case, str], FormTexts | None]
) -> tuple[TableHead, RowSpool]:
    """A frozen list for a reader: rows of cases that he may not read are left out, cells that he may not see are marked."""
    spool = RowSpool([])
    try:
        async for content in report_lists.load_parts(tx, key, frozen["id"]):
            part = orjson.loads(content)
            cases = await report_lists.load_cases_by_id(tx, [case_id for case_id, _ in part])
            for case_id, cells in part:
                texts = texts_of(cases[case_id], "") if case_id in cases else None
                if texts is not None:
                    spool.add(case_id, [], _visible_cells(cells, frozen["reads"], texts))
    except BaseException:
        spool.close()
        raise
    document = {
        "procedure": key.procedure,
        "duty": key.duty,
        "list": frozen["id"],
        "clauses": frozen["clauses"],
        "period": report["period"],
        "sha256": frozen["sha256"],
        "rows_in_all": frozen["rows"],
    }
    return TableHead(frozen["title"], frozen["columns"], document), spool


def _visible_cells(cells: list[Any], reads: list[list[str]], texts: FormTexts) -> list[Cell]:
    return [texts.confidential if any(map(texts.is_hidden, paths)) else decode_cell(cell) for cell, paths in zip(cells, reads, strict=True)]
