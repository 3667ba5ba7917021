"""Encodings are found or refused; workbooks are read within limits, whatever they claim."""

import asyncio
import io
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from services.intake.transports.imports.files.encodings import find_encoding
from services.intake.transports.imports.files.excel_table import ExcelLimits
from services.intake.transports.imports.files.opening import open_table
from services.intake.transports.imports.files.table import Table
from services.intake.transports.imports.files.unusable_file import UnusableFileError
from shared.procedures.source_formats.file_map import FileMap
from tests.support.messaging.import_samples import COLUMN_MAP, ROWS, TITLES, csv_bytes

LIMITS = ExcelLimits(memory_bytes=1 << 29, cpu_seconds=20, unpacked_bytes=5_000_000)


def opened(path: Path, **rules: Any) -> Table:
    file_map = FileMap.model_validate(COLUMN_MAP | rules)
    return asyncio.run(open_table(path, path.with_suffix(".lines"), file_map, LIMITS))


def workbook(path: Path, cells: dict[tuple[int, int], Any], *sheets: str) -> Path:
    book = xlsxwriter.Workbook(path)
    form = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    first = [book.add_worksheet(name) for name in sheets or ("a",)][-1]
    for (row, column), value in cells.items():
        if isinstance(value, datetime):
            first.write_datetime(row, column, value, form)
        else:
            first.write(row, column, value)
    book.close()
    return path


def rule_of(path: Path, **rules: Any) -> str:
    with pytest.raises(UnusableFileError) as caught:
        list(opened(path, **rules).rows)
    return caught.value.fault.rule


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(csv_bytes(ROWS, encoding, delimiter))
    table = opened(path)
    assert (table.encoding, table.delimiter) == (encoding, delimiter)
    assert [row.cells for row in table.rows] == ROWS
    assert list(table.titles) == TITLES


def test_characters_of_four_bytes_show_gb18030_at_any_place(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a," * 600_000 + "𠮷田㼆朱镕生".encode("gb18030"))
    assert find_encoding(path, None) == "gb18030"
    path.write_bytes(b"a," * 600_000 + "𠮷".encode())
    assert find_encoding(path, None) == "utf-8"


def test_encoding_that_does_not_hold_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(csv_bytes(ROWS, "gb18030"))
    assert rule_of(path, encoding="utf-8") == "encoding"
    path.write_bytes(csv_bytes(ROWS, "utf-8-sig"))
    assert rule_of(path, encoding="gb18030") == "encoding"
    path.write_bytes("工单号".encode("gb18030")[:-1])
    assert rule_of(path) == "encoding"


def test_sheet_below_empty_rows_keeps_the_numbers_of_its_rows(tmp_path: Path) -> None:
    cells = {(2, 1): "诉求内容", (2, 2): "受理时间", (4, 1): "停水", (4, 2): datetime(2026, 11, 9, 9, 5)}  # noqa: DTZ001
    path = workbook(tmp_path / "x.xlsx", cells, "other", "投诉")
    table = opened(path, header_row=3, sheet="投诉")
    assert list(table.titles) == ["诉求内容", "受理时间"]
    [_, row] = table.rows
    assert (row.number, list(row.cells)) == (5, ["停水", datetime(2026, 11, 9, 9, 5)])  # noqa: DTZ001
    assert table.found == {"sheet": "投诉", "other_sheets": "other"}
    assert rule_of(path, sheet="none") == "no_such_sheet"
    assert rule_of(path, header_row=90) == "no_titles"


def test_cells_keep_their_types(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", {(0, 0): "t", (1, 0): 46335.375, (2, 0): True, (3, 0): "=1", (4, 0): datetime(2026, 11, 9)})  # noqa: DTZ001
    values = [row.cells[0] for row in opened(path).rows if row.cells]
    assert values[:2] == [46335.375, True]
    assert isinstance(values[-1], date)


def test_two_cells_at_the_corners_of_a_sheet_take_no_memory_of_the_service(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", {(0, 0): "诉求内容", (1_048_575, 16_383): 1})
    assert path.stat().st_size < 10_000
    assert rule_of(path) == "too_costly"


def test_workbook_that_unpacks_to_more_than_allowed_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", {(0, 0): "诉求内容"})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/bomb.bin", b"\0" * 6_000_000)
    assert rule_of(path) == "unpacks_too_large"
    content = bytearray(path.read_bytes())
    # The directory claims 10 bytes for the part of 6,000,000.
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    path.write_bytes(content)
    assert rule_of(path) == "not_a_workbook"


def test_broken_workbooks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    whole = workbook(tmp_path / "whole.xlsx", {(0, 0): "诉求内容"}).read_bytes()
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("a", "b")
    for content in (whole[: len(whole) // 2], empty.getvalue(), b"\xd0\xcf\x11\xe0" + b"\0" * 600):
        path.write_bytes(content)
        assert rule_of(path) == "not_a_workbook"
