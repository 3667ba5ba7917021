"""Reads workbooks row by row: a process of its own turns a sheet into lines, which are read in constant memory."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson

from services.intake.transports.imports.files.table import Table, TableRow
from services.intake.transports.imports.files.unusable_file import UnusableFileError
from shared.procedures.source_formats.file_map import FileMap

_PROGRAM = "services.intake.transports.imports.files.excel_sheet"
_FAULT_STATUS = 3
_DATE_LENGTH = 10


@dataclass(frozen=True, slots=True)
class ExcelLimits:
    """Limits for reading one workbook; 100,000 rows of five columns take 162 MB and 1.4 s (docs/reference/imports.md)."""

    memory_bytes: int = 1 << 30
    cpu_seconds: int = 120
    unpacked_bytes: int = 500_000_000


async def open_excel(path: Path, lines: Path, file_map: FileMap, limits: ExcelLimits) -> Table:
    """The table, its rows in the file `lines`, which the caller deletes; raises `UnusableFileError`."""
    facts = await _read_sheet(path, lines, file_map.sheet or "", limits)
    rows = _rows(lines)
    title_row = next((row for row in rows if row.number >= file_map.header_row), None)
    if title_row is None:
        raise UnusableFileError("no_titles", f"row {file_map.header_row} has no titles; correct header_row of the column map")
    found = {"sheet": facts["sheet"]} | ({"other_sheets": ", ".join(facts["other_sheets"])} if facts["other_sheets"] else {})
    return Table("xlsx", title_row.cells, rows, found=found)


async def _read_sheet(path: Path, lines: Path, sheet: str, limits: ExcelLimits) -> dict[str, Any]:
    arguments = (path, lines, sheet, limits.memory_bytes, limits.cpu_seconds, limits.unpacked_bytes)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", _PROGRAM, *map(str, arguments)), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode == 0:
        facts: dict[str, Any] = orjson.loads(output)
        return facts
    if process.returncode == _FAULT_STATUS:
        fault = orjson.loads(output)
        raise UnusableFileError(fault["rule"], fault["remedy"])
    # Killed by a limit, or aborted by the library, which cannot allocate what two cells at the corners of a sheet ask for.
    raise UnusableFileError("too_costly", "the workbook asks for more memory or time than allowed; save the sheet as CSV in UTF-8")


def _rows(lines: Path) -> Iterator[TableRow]:
    with lines.open("rb") as file:
        for line in file:
            number, cells = orjson.loads(line)
            yield TableRow(number, [_cell(cell) for cell in cells])


def _cell(cell: Any) -> Any:
    if not isinstance(cell, dict):
        return cell
    text: str = cell["at"]
    return date.fromisoformat(text) if len(text) == _DATE_LENGTH else datetime.fromisoformat(text)
