"""Files by HTTP: each row a case or a reason, the report in the file's own form, nothing twice."""

import io
from datetime import datetime
from typing import Any

import httpx
import openpyxl
import orjson
import xlsxwriter

from shared.runtime.service import Service
from tests.integration.intake.conftest import query_rows, source_client
from tests.integration.intake.transports.imports.conftest import import_content
from tests.support.messaging.import_samples import ROWS, TITLES, csv_bytes, read_csv

RESULTS = ["registered", "registered", "registered", "registered", "registered", "refused", "duplicate"]


async def report_of(web: httpx.AsyncClient, document: dict[str, Any]) -> httpx.Response:
    return await web.get(f"/v1/imports/{document['id']}/report")


async def test_export_of_a_contact_centre_is_read_row_by_row(web: httpx.AsyncClient, intake: Service) -> None:
    encoding = "gb18030"
    document = await import_content(web, csv_bytes(ROWS, encoding), name="export.csv")
    assert document["state"] == "done"
    assert document["counts"] == {"registered": 5, "refused": 1, "duplicate": 1}
    assert document["found"]["encoding"].startswith("GB18030")
    report = read_csv((await report_of(web, document)).content, encoding)
    assert [row["jiesu_status"] for row in report] == RESULTS
    assert [row["工单号"] for row in report] == [row[0] for row in ROWS]
    assert report[0]["jiesu_case_number"] == report[6]["jiesu_case_number"] != ""
    assert (report[5]["jiesu_field"], report[5]["jiesu_rule"]) == ("received_at", "date_ambiguous")
    assert report[2]["jiesu_unreadable"] == "complainant.phone"
    assert report[1]["诉求内容"] == "停水了，\n已经两天"
    rows = await query_rows(intake, "SELECT external_id, received_at AT TIME ZONE 'Asia/Shanghai' AS at, body FROM complaint ORDER BY 1")
    assert [row["at"].isoformat(" ", "minutes") for row in rows] == [
        *("2026-11-09 09:05", "2026-11-09 09:05", "2026-11-09 00:00", "2026-11-09 09:00", "2026-11-10 00:00"),
    ]
    phones = [orjson.loads(row["body"])["complaint"]["complainant"].get("phone") for row in rows]
    assert phones == ["138****0000", "106****9988", None, "139****0000", "135****5678"]


async def test_same_rows_again_in_another_encoding_register_nothing(web: httpx.AsyncClient, intake: Service) -> None:
    await import_content(web, csv_bytes(ROWS, "gb18030"))
    for encoding, found in (("utf-8-sig", "UTF-8, by its"), ("utf-16", "UTF-16"), ("utf-8", "UTF-8 without")):
        document = await import_content(web, csv_bytes(ROWS, encoding))
        assert document["counts"] == {"duplicate": 6, "refused": 1}
        assert document["found"]["encoding"].startswith(found)
        assert len(read_csv((await report_of(web, document)).content, encoding)) == len(ROWS)
    assert len(await query_rows(intake, "SELECT 1 FROM complaint")) == 5


async def test_rows_without_a_reference_are_recognised_by_their_content(web: httpx.AsyncClient, intake: Service) -> None:
    rows = [["", "2026-11-09 9:05", "王", "13800000000", "停水"], ["", "2026-11-09 9:05", "李", "13900000000", "停水"], [""] * 5]
    first = await import_content(web, csv_bytes([*rows, rows[0]], "utf-8"))
    again = await import_content(web, csv_bytes(rows[1:2], "gb18030"))
    assert first["counts"] == {"registered": 2, "duplicate": 1, "empty": 1}
    assert again["counts"] == {"duplicate": 1}
    assert len(await query_rows(intake, "SELECT 1 FROM complaint")) == 2


async def test_workbook_is_read_and_its_report_is_a_workbook_without_formulas(web: httpx.AsyncClient, intake: Service) -> None:
    file = io.BytesIO()
    workbook = xlsxwriter.Workbook(file)
    sheet = workbook.add_worksheet("投诉")
    sheet.write_row(0, 0, TITLES)
    sheet.write_row(1, 0, ["G-1", 46335.375, "王", 13800000000, "停水"])
    sheet.write_datetime(2, 1, datetime(2026, 11, 9, 9, 5), workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"}))  # noqa: DTZ001
    sheet.write_row(2, 2, ["李", "13900000000", '=HYPERLINK("http://evil")'])
    sheet.write_string(2, 4, "=1+1 停电")
    sheet.write_row(3, 0, ["G-3", "9/11/2026", "张", 1.1010119900101123e17, "噪音"])
    workbook.close()
    document = await import_content(web, file.getvalue())
    assert (document["state"], document["counts"]) == ("done", {"registered": 2, "refused": 1}), document
    assert document["found"]["sheet"] == "投诉"
    answer = await report_of(web, document)
    assert "spreadsheetml" in answer.headers["content-type"]
    report = list(openpyxl.load_workbook(io.BytesIO(answer.content))["report"].iter_rows())
    assert [row[5].value for row in report] == ["jiesu_status", "registered", "registered", "refused"]
    assert (report[2][4].value, report[2][4].data_type) == ("=1+1 停电", "s")
    assert report[3][9].value is not None
    [first, second] = await query_rows(intake, "SELECT body, received_at AT TIME ZONE 'Asia/Shanghai' AS at FROM complaint ORDER BY at")
    assert [first["at"].minute, second["at"].minute] == [0, 5]
    assert orjson.loads(first["body"])["complaint"]["complainant"]["phone"] == "138****0000"


async def test_report_in_csv_neutralises_formulas_and_keeps_numbers(web: httpx.AsyncClient) -> None:
    rows = [["G-1", "2026-11-09", "=cmd|' /C calc'!A0", "+8613800000000", "@SUM(1)"], ["G-2", "2026-11-09", "-", "-1", "\t=1"]]
    report = read_csv((await report_of(web, await import_content(web, csv_bytes(rows, "utf-8")))).content, "utf-8")
    assert [report[0][title] for title in TITLES] == ["G-1", "2026-11-09", "'=cmd|' /C calc'!A0", "+8613800000000", "'@SUM(1)"]
    assert [report[1][title] for title in TITLES] == ["G-2", "2026-11-09", "'-", "-1", "'\t=1"]


async def test_dry_run_checks_every_row_and_registers_nothing(web: httpx.AsyncClient, intake: Service) -> None:
    document = await import_content(web, csv_bytes(ROWS, "gb18030"), dry_run=True)
    assert (document["dry_run"], document["counts"]) == (True, {"valid": 6, "refused": 1})
    assert await query_rows(intake, "SELECT 1 FROM complaint UNION ALL SELECT 1 FROM refusal") == []
    await import_content(web, csv_bytes(ROWS[:1], "gb18030"))
    again = await import_content(web, csv_bytes(ROWS[:2], "gb18030"), dry_run=True)
    assert again["counts"] == {"duplicate": 1, "valid": 1}


async def test_file_that_cannot_be_read_fails_with_rule_and_remedy(web: httpx.AsyncClient) -> None:
    files = [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "neither_csv_nor_excel"),
        (b"   \n", "empty"),
        (b"PK\x03\x04 no zip", "not_a_workbook"),
        ("工单号,诉求内容\nG-1,停水\n".encode(), "missing_columns"),
        (b"\xff" * 50, "encoding"),
    ]
    for content, rule in files:
        document = await import_content(web, content)
        assert (document["state"], [fault["rule"] for fault in document["errors"]]) == ("failed", [rule])
        assert document["errors"][0]["remedy"]
        assert (await report_of(web, document)).status_code == 422


async def test_import_of_another_source_is_not_found_and_one_without_map_is_refused(web: httpx.AsyncClient, intake: Service) -> None:
    document = await import_content(web, csv_bytes(ROWS[:1], "utf-8"))
    async with source_client(intake, "hotline") as other:
        unknown = await other.get(f"/v1/imports/{document['id']}")
        assert (unknown.status_code, unknown.json()["title"], unknown.json()["errors"][0]["field"]) == (404, "Not Found", "id")
        answer = await other.post("/v1/imports", content=b"x")
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (409, "no_column_map")
    empty = await web.post("/v1/imports", content=b"")
    assert (empty.status_code, empty.json()["title"], empty.json()["errors"][0]["rule"]) == (400, "the body is malformed", "empty")


async def test_name_of_a_file_is_kept_without_path_and_control_characters(web: httpx.AsyncClient) -> None:
    for name, kept in (("../../etc/a\x00b\u202egpj.csv", "abgpj.csv"), ("C:\\export.csv", "export.csv"), ("", "")):
        assert (await import_content(web, csv_bytes(ROWS[:1], "utf-8"), name=name))["name"] == kept


async def test_a_file_whose_rows_are_all_refused_ends_early_with_the_reason(web: httpx.AsyncClient, intake: Service) -> None:
    document = await import_content(web, csv_bytes([["", "never", "", "", "x"]] * 3000, "utf-8"))
    assert (document["state"], document["rows_done"]) == ("failed", 1000)
    assert [(fault["field"], fault["rule"]) for fault in document["errors"]] == [("rows", "all_refused")]
    assert await query_rows(intake, "SELECT 1 FROM complaint") == []
