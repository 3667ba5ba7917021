"""Writes tables as JSON, CSV and Excel files, row by row."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from io import TextIOWrapper
from typing import Any, BinaryIO, Literal

import orjson

from shared.runtime.spreadsheets.cell_text import inert_text

TableCell = str | int | float | datetime | None
"""A datetime is local, without its offset: spreadsheets know no zones."""
TableFormat = Literal["json", "csv", "xlsx"]
MEDIA_TYPES: dict[TableFormat, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MAX_SHEET_ROWS = 1_048_576
MAX_CELL_CHARACTERS = 32_767
_EXACT_DIGITS = 10**15
_TITLE_CHARACTERS = 31
_FORBIDDEN_IN_TITLE = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_COLUMN_WIDTH = 18


@dataclass(frozen=True, slots=True)
class TableHead:
    """Title and columns of a table; `document` are its fields in JSON, beside its columns and rows."""

    title: str
    columns: list[str]
    document: dict[str, Any]


def write_table(file: BinaryIO, list_format: TableFormat, head: TableHead, rows: Iterable[list[TableCell]]) -> None:
    """Write the table to a file that is open for binary writing."""
    _WRITERS[list_format](file, head, rows)


def _write_json(file: BinaryIO, head: TableHead, rows: Iterable[list[TableCell]]) -> None:
    opening = orjson.dumps({**head.document, "title": head.title, "columns": head.columns})
    file.write(opening.removesuffix(b"}") + b',"rows":[')
    separator = b"\n"
    for row in rows:
        file.write(separator + orjson.dumps([_json_cell(cell) for cell in row]))
        separator = b",\n"
    file.write(b"\n]}\n")


def _write_csv(file: BinaryIO, head: TableHead, rows: Iterable[list[TableCell]]) -> None:
    text = TextIOWrapper(file, "utf-8-sig", newline="")  # Excel reads UTF-8 only with the mark
    writer = csv.writer(text)
    writer.writerow([inert_text(title) for title in head.columns])
    writer.writerows([_csv_cell(cell) for cell in row] for row in rows)
    text.detach()


def _write_xlsx(file: BinaryIO, head: TableHead, rows: Iterable[list[TableCell]]) -> None:
    # Imported where it is needed: a service that writes no Excel file need not load it.
    from xlsxwriter.workbook import Workbook  # noqa: PLC0415

    options = {
        "constant_memory": True,
        # The default would turn a complainant's "=1+1" into a formula, and his "http://…" into a link.
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "default_date_format": "yyyy-mm-dd hh:mm",
    }
    workbook = Workbook(file, options)
    bold = workbook.add_format({"bold": True, "text_wrap": True})
    sheet, next_row = None, MAX_SHEET_ROWS
    for row in _with_head_if_empty(rows):
        if next_row == MAX_SHEET_ROWS:
            number = len(workbook.worksheets()) + 1
            sheet, next_row = workbook.add_worksheet(_sheet_title(head.title, number)), 1
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, max(len(head.columns) - 1, 0), _COLUMN_WIDTH)
            for column, title in enumerate(head.columns):
                sheet.write_string(0, column, title, bold)
        if sheet is not None and row is not None:
            for column, cell in enumerate(row):
                _write_xlsx_cell(sheet, next_row, column, cell)
            next_row += 1
    workbook.close()


def _with_head_if_empty(rows: Iterable[list[TableCell]]) -> Iterable[list[TableCell] | None]:
    """The rows, or None in place of a missing first one, so that an empty list still has its head."""
    is_empty = True
    for row in rows:
        is_empty = False
        yield row
    if is_empty:
        yield None


def _write_xlsx_cell(sheet: Any, row: int, column: int, cell: TableCell) -> None:
    match cell:
        case None:
            return
        case datetime():
            sheet.write_datetime(row, column, cell)
        case int() | float() if math.isfinite(cell) and abs(cell) < _EXACT_DIGITS:
            sheet.write_number(row, column, cell)
        case _:
            text = str(cell)
            # Excel refuses a file with a longer cell, and the library leaves such a cell out.
            is_long = len(text) > MAX_CELL_CHARACTERS
            sheet.write_string(row, column, f"{text[: MAX_CELL_CHARACTERS - 1]}…" if is_long else text)


def _sheet_title(title: str, number: int) -> str:
    suffix = "" if number == 1 else f" {number}"
    return (title.translate(_FORBIDDEN_IN_TITLE).strip()[: _TITLE_CHARACTERS - len(suffix)] or "list") + suffix


def _json_cell(cell: TableCell) -> Any:
    return cell.isoformat(timespec="seconds") if isinstance(cell, datetime) else cell


def _csv_cell(cell: TableCell) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return f"{cell:%Y-%m-%d %H:%M}"
        case str():
            return inert_text(cell)
    return str(cell)


_WRITERS: dict[TableFormat, Callable[[BinaryIO, TableHead, Iterable[list[TableCell]]], None]] = {
    "json": _write_json,
    "csv": _write_csv,
    "xlsx": _write_xlsx,
}
