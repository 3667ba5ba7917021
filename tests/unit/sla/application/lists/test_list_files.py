"""Lists as files: ordered in runs on disk, and read back from JSON, CSV and Excel."""

import csv
import io
import json
import tracemalloc
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla.application.lists.row_spool import RowSpool
from services.sla.domain.lists.case_rows import Cell, order_key, sort_key
from shared.runtime.spreadsheets import table_files
from shared.runtime.spreadsheets.table_files import TableFormat, TableHead, write_table

HEAD = TableHead(
    "台帐[2026]: 全部/很长的标题，一共超过三十一个字符所以要截短才能作为工作表名",
    ["编号", "=时间", "件数"],
    {"list": "ledger", "period": None},
)
AT = datetime(2026, 9, 24, 17, 5)  # noqa: DTZ001 - cells are local
HOSTILE = ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "\uff1dcmd", '=HYPERLINK("http://x")', "http://example.org/" + "x" * 3000]


def written(list_format: TableFormat, rows: list[list[Cell]], head: TableHead = HEAD) -> bytes:
    file = io.BytesIO()
    write_table(file, list_format, head, iter(rows))
    return file.getvalue()


def sheets(content: bytes) -> list[list[tuple[Any, ...]]]:
    return [list(sheet.iter_rows(values_only=True)) for sheet in openpyxl.load_workbook(io.BytesIO(content)).worksheets]


def test_excel_file_is_opened_again_with_its_types() -> None:
    [sheet] = sheets(written("xlsx", [["SK-1", AT, 3], ["漏水\n严重", None, 2.5], [None, None, 10**16]]))
    assert sheet == [tuple(HEAD.columns), ("SK-1", AT, 3), ("漏水\n严重", None, 2.5), (None, None, str(10**16))]


@pytest.mark.parametrize("text", HOSTILE)
def test_neither_excel_nor_csv_executes_what_a_complainant_wrote(text: str) -> None:
    content = written("xlsx", [[text, None, None]])
    [sheet] = sheets(content)
    assert sheet[1][0] == text
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in xml
        assert "hyperlink" not in xml
    [_, [cell, _, _]] = csv.reader(io.StringIO(written("csv", [[text, None, None]]).decode("utf-8-sig"), newline=""))
    assert cell == (text if text.startswith("http") else f"'{text}")


def test_csv_begins_with_the_mark_and_keeps_line_ends_and_numbers() -> None:
    content = written("csv", [['a, "b"\r\nc', AT, -2.5]])
    assert content.startswith(b"\xef\xbb\xbf")
    parsed = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert parsed == [["编号", "'=时间", "件数"], ['a, "b"\r\nc', "2026-09-24 17:05", "-2.5"]]


def test_json_has_head_and_rows() -> None:
    assert json.loads(written("json", [["x", AT, 1], ["y", None, 2]])) == {
        "list": "ledger",
        "period": None,
        "title": HEAD.title,
        "columns": HEAD.columns,
        "rows": [["x", "2026-09-24T17:05:00", 1], ["y", None, 2]],
    }


@pytest.mark.parametrize("list_format", ["json", "csv", "xlsx"])
def test_empty_list_has_its_head(list_format: TableFormat) -> None:
    content = written(list_format, [])
    match list_format:
        case "json":
            assert json.loads(content)["rows"] == []
        case "csv":
            assert content.decode("utf-8-sig").splitlines() == ["编号,'=时间,件数"]
        case "xlsx":
            assert sheets(content) == [[tuple(HEAD.columns)]]


def test_long_cells_are_cut_and_long_lists_continue_on_further_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_files, "MAX_SHEET_ROWS", 3)
    first, second = sheets(written("xlsx", [["x" * 40_000, None, 1], ["y", None, 2], ["z", None, 3]]))
    assert (len(first[1][0]), first[1][0][-1]) == (32_767, "…")
    assert [row[0] for row in first[1:]] == ["x" * 32_766 + "…", "y"]
    assert second == [tuple(HEAD.columns), ("z", None, 3)]


KEYS = st.lists(st.tuples(st.none() | st.text(max_size=2) | st.integers(-3, 3), st.integers(0, 2)), max_size=30)


@given(KEYS, st.integers(1, 400))
def test_rows_are_ordered_alike_in_memory_and_in_runs_on_disk(values: list[tuple[Any, int]], run_bytes: int) -> None:
    order = ["a", "-b"]
    spool = RowSpool(order, run_bytes)
    try:
        for number, (one, other) in enumerate(values):
            spool.add(f"c{number}", [sort_key(one), sort_key(other)], [number, AT, "a\nb"])
        expected = sorted(range(len(values)), key=lambda number: order_key(order)([sort_key(value) for value in values[number]]))
        ordered = list(spool.rows())
        assert [case_id for case_id, _ in ordered] == [f"c{number}" for number in expected]
        assert all(cells[1:] == [AT, "a\nb"] for _, cells in ordered)
        assert list(spool.rows()) == ordered
        assert spool.count == len(values)
    finally:
        spool.close()


@pytest.mark.parametrize("list_format", ["json", "csv", "xlsx"])
def test_memory_does_not_grow_with_the_number_of_rows(list_format: TableFormat, tmp_path: Path) -> None:
    def peak(count: int) -> int:
        spool = RowSpool(["-a"], run_bytes=100_000)
        tracemalloc.start()
        try:
            for number in range(count):
                spool.add(f"c{number}", [sort_key(number % 97)], [number, "投诉内容" * 20, AT])
            with (tmp_path / "list").open("wb") as file:
                write_table(file, list_format, HEAD, (cells for _, cells in spool.rows()))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            spool.close()

    peak(200)  # imports the writer
    # Each run on disk keeps one row and a read buffer in memory.
    assert peak(8_000) < 2 * peak(2_000) + 1_000_000
