"""Reads one sheet of a workbook in a process of its own and writes its rows as lines of JSON.

calamine builds a whole sheet in memory, and two cells at its corners take 550 GB, which aborts the process (calamine issue 693).
So this program limits its memory and its time; it imports nothing of the service.
"""

import json
import resource
import sys
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO
from zipfile import BadZipFile, ZipFile

_BLOCK = 1 << 20


def main(arguments: list[str]) -> int:
    """`FILE OUT SHEET MEMORY_BYTES CPU_SECONDS UNPACKED_BYTES`; 0, or 3 with the fault as JSON on standard output."""
    path, out, sheet, memory, seconds, unpacked = arguments
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        _require_unpacked_size(Path(path), int(unpacked))
        with Path(out).open("w", encoding="utf-8") as file:
            facts = _write_sheet(path, sheet, file)
    except _FaultError as error:
        sys.stdout.write(json.dumps({"rule": error.args[0], "remedy": error.args[1]}))
        return 3
    sys.stdout.write(json.dumps(facts))
    return 0


class _FaultError(Exception):
    """A workbook that cannot be read: rule and remedy."""


def _require_unpacked_size(path: Path, limit: int) -> None:
    """Raise unless the parts of a zip file unpack to at most `limit` bytes; counted, since the sizes that a file declares may be false."""
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return
    total = 0
    try:
        with ZipFile(path) as archive:
            for part in archive.infolist():
                with archive.open(part) as content:
                    while block := content.read(_BLOCK):
                        total += len(block)
                        if total > limit:
                            raise _FaultError("unpacks_too_large", f"it unpacks to more than {limit} bytes; split it, or save it as CSV")
    except (BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise _FaultError("not_a_workbook", "open it in the spreadsheet program and save it as .xlsx again") from error


def _write_sheet(path: str, sheet_name: str, file: TextIO) -> dict[str, Any]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum, WorksheetNotFound  # noqa: PLC0415 - after the limits

    try:
        workbook = CalamineWorkbook.from_path(path)
        visible = [each.name for each in workbook.sheets_metadata if each.visible is SheetVisibleEnum.Visible]
        name = sheet_name or next(iter(visible), "")
        sheet = workbook.get_sheet_by_name(name)
        file.writelines(_lines(sheet.iter_rows()))
    except PasswordError as error:
        raise _FaultError("password", "save it without a password") from error
    except WorksheetNotFound as error:
        raise _FaultError("no_such_sheet", "name one of its sheets in the column map, or leave sheet out") from error
    except (CalamineError, OSError) as error:
        raise _FaultError("not_a_workbook", "open it in the spreadsheet program and save it as .xlsx again") from error
    return {"sheet": name, "other_sheets": [each for each in visible if each != name]}


def _lines(rows: Iterator[list[Any]]) -> Iterator[str]:
    # iter_rows gives the empty rows above the first cell too, but not the empty columns before it.
    for number, row in enumerate(rows, 1):
        while row and row[-1] == "":
            row.pop()
        yield json.dumps([number, [_cell(cell) for cell in row]], ensure_ascii=False, separators=(",", ":")) + "\n"


def _cell(cell: Any) -> Any:
    """A cell as JSON: instants and dates in an object, so that they differ from texts."""
    if isinstance(cell, datetime | date):
        return {"at": cell.isoformat()}
    return cell if isinstance(cell, str | int | float | bool) else str(cell)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
