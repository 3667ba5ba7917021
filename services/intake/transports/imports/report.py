"""Writes the report of an import: the rows of the file with the result of each, as a file of the same form."""

import csv
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import xlsxwriter

from services.intake.storage import imports
from services.intake.storage.imports import ImportFile, ImportRow
from services.intake.transports.imports.files.table import Table
from services.intake.transports.imports.importing import Imports

RESULT_TITLES = ("jiesu_status", "jiesu_case_number", "jiesu_case", "jiesu_field", "jiesu_rule", "jiesu_remedy", "jiesu_unreadable")
"""Behind the file's own columns; a column map ignores them, so that a corrected report can be imported."""
_ROWS_AT_ONCE = 1000
# Spreadsheets run these as formulas, whoever wrote the text; a number with its sign does no harm.
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)


async def write_report(work: Imports, item: ImportFile, path: Path) -> str:
    """Write the report of the rows that have results so far; returns its form. Raises `UnusableFileError` for an unreadable file."""
    async with work.opened(item) as (table, _):
        write, close = _open_excel(path) if table.form == "xlsx" else _open_csv(path, table)
        try:
            write([*map(_text, table.titles), *RESULT_TITLES])
            async for cells, result in _rows_with_results(work, item, table):
                write([*cells, *[""] * (len(table.titles) - len(cells)), *_result_cells(result)])
        finally:
            close()
    return table.form


def report_suffix(form: str) -> str:
    """The ending of a report's name; an .xls file gets a report in .xlsx."""
    return ".report.xlsx" if form == "xlsx" else ".report.csv"


def neutralised(text: str) -> str:
    """The text of a CSV cell so that no spreadsheet takes it for a formula."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


async def _rows_with_results(work: Imports, item: ImportFile, table: Table) -> AsyncIterator[tuple[list[str], ImportRow | None]]:
    """The cells of each row that has been done, with its result, None for an empty row."""
    results: Iterator[ImportRow] = iter(())
    result: ImportRow | None = None
    after, more = 0, True
    for row in islice(table.rows, item.rows_done):
        while more and (result is None or result.row < row.number):
            result = next(results, None)
            if result is None:
                async with work.database.transaction() as tx:
                    batch = await imports.find_rows(tx, item.id, after, _ROWS_AT_ONCE)
                more, results = bool(batch), iter(batch)
                after = batch[-1].row if batch else after
        yield [_text(cell) for cell in row.cells], result if result is not None and result.row == row.number else None


def _result_cells(result: ImportRow | None) -> list[str]:
    if result is None:
        return ["empty", *[""] * (len(RESULT_TITLES) - 1)]
    faults: list[dict[str, str]] = orjson.loads(result.faults)
    columns = ["; ".join(fault[name] for fault in faults) for name in ("field", "rule", "remedy")]
    return [result.status, result.number, result.case_id, *columns, result.unreadable]


def _text(cell: Any) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _open_csv(path: Path, table: Table) -> tuple[Callable[[Sequence[str]], None], Callable[[], None]]:
    file = path.open("w", encoding=table.encoding, newline="")
    writer = csv.writer(file, delimiter=table.delimiter)
    return lambda cells: writer.writerow([neutralised(cell) for cell in cells]), file.close


def _open_excel(path: Path) -> tuple[Callable[[Sequence[str]], None], Callable[[], None]]:
    # constant_memory writes each row to disk; every cell is a text, so that none is a formula, a link or a rounded number.
    workbook = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = workbook.add_worksheet("report")
    position = iter(range(1 << 20))

    def write(cells: Sequence[str]) -> None:
        row = next(position)
        for column, cell in enumerate(cells):
            if cell:
                sheet.write_string(row, column, cell)

    return write, workbook.close
