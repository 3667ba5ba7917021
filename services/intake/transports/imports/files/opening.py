"""Opens a file as a table: its form is found by its first bytes, never by its name."""

import asyncio
from pathlib import Path

from services.intake.transports.imports.files.csv_table import open_csv
from services.intake.transports.imports.files.excel_table import ExcelLimits, open_excel
from services.intake.transports.imports.files.table import Table
from services.intake.transports.imports.files.unusable_file import UnusableFileError
from shared.procedures.source_formats.file_map import FileMap

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_MARKS_OF_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_HEAD = 4096


def is_workbook(path: Path) -> bool:
    """Whether the file begins as a workbook does: as .xlsx, or as .xls."""
    with path.open("rb") as file:
        return file.read(4) in (_ZIP, _OLE)


async def open_table(path: Path, lines: Path, file_map: FileMap, limits: ExcelLimits) -> Table:
    """The table of a CSV file or workbook; `lines` is a file for the rows of a workbook. Raises `UnusableFileError`."""
    if is_workbook(path):
        return await open_excel(path, lines, file_map, limits)
    # Finding the encoding decodes the whole file, half a second for 100 MB.
    return await asyncio.to_thread(_open_text, path, file_map)


def _open_text(path: Path, file_map: FileMap) -> Table:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip():
        raise UnusableFileError("empty", "send a file with a row of titles and at least one row")
    if b"\x00" in head and not head.startswith(_MARKS_OF_UTF_16):
        raise UnusableFileError("neither_csv_nor_excel", "send CSV, .xlsx or .xls")
    return open_csv(path, file_map)
