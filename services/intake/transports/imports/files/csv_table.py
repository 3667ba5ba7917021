"""Reads CSV files row by row in constant memory."""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

from services.intake.channels.mapped_rows import ColumnFields, normal_title
from services.intake.domain.submission_faults import SubmissionFault
from services.intake.transports.imports.files.encodings import FOUND, find_encoding
from services.intake.transports.imports.files.table import Table, TableRow
from services.intake.transports.imports.files.unusable_file import UnusableFileError
from shared.procedures.source_formats.file_map import FileMap

_DELIMITERS = {",": ",", ";": ";", "tab": "\t", "|": "|"}
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
# Between a quotation mark that is never closed and the next one the reader swallows lines: csv's own limit of 128 KB ends that.
_ROW_FAULT = SubmissionFault("row", "not_csv", "close every quotation mark, and write quotation marks within a text twice")


def open_csv(path: Path, file_map: FileMap) -> Table:
    """The table; raises `UnusableFileError`. The file stays open until its rows are read or dropped."""
    encoding = find_encoding(path, file_map.encoding)
    delimiter = _DELIMITERS[file_map.delimiter] if file_map.delimiter else _find_delimiter(path, encoding, file_map)
    rows = _rows(path, encoding, delimiter)
    title_row = next((row for row in rows if row.number >= file_map.header_row), None)
    if title_row is None or title_row.fault:
        raise UnusableFileError("no_titles", f"row {file_map.header_row} has no titles; correct header_row of the column map")
    found = {"encoding": FOUND[encoding], "delimiter": _NAMES[delimiter]}
    return Table("csv", title_row.cells, rows, encoding, delimiter, found)


def _find_delimiter(path: Path, encoding: str, file_map: FileMap) -> str:
    """The delimiter by which most of the map's titles are found, a comma where none is."""
    columns = ColumnFields(file_map)

    def titles_found(delimiter: str) -> int:
        rows = islice(_rows(path, encoding, delimiter), file_map.header_row)
        titles = next((row.cells for row in rows if row.number == file_map.header_row), ())
        return sum(normal_title(title) in columns.fields for title in titles)

    return max(_NAMES, key=titles_found)


def _rows(path: Path, encoding: str, delimiter: str) -> Iterator[TableRow]:
    with path.open(encoding=encoding, newline="") as file:
        yield from _parsed(file, delimiter)


def _parsed(file: TextIO, delimiter: str) -> Iterator[TableRow]:
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # The reader goes on with the next line.
            yield TableRow(number, (), _ROW_FAULT)
        else:
            yield TableRow(number, cells)
