"""GET /v1/lists and `jiesu list` on real servers: one snapshot, three formats, the rights of a single case."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from services.sla.application.lists import row_collection
from services.sla.application.lists.row_collection import ListReader, collect_rows
from services.sla.domain.lists.case_rows import ListScope
from services.sla.storage.duties import read_in_one_snapshot
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.form_layout.lists import CaseListEntry
from shared.procedures.organisation import open_organisation
from tests.integration.sla.recorded_cases import CommandLine, record_routed_cases, wait_for_events
from tests.integration.sla.sla_harness import OTHER_DEPARTMENT_TOKEN, SlaHarness, person_client

_WITH_ANSWER = CaseListEntry(id="x", columns=["first_answered.text"])
LONG_AGO = datetime.now(UTC) - timedelta(days=30)
LISTS = "/v1/lists/hunan-property"


async def listed(http: httpx.AsyncClient, name: str = "cases", **parameters: Any) -> list[str]:
    answer = await http.get(f"{LISTS}/{name}", params=parameters)
    assert answer.status_code == 200, answer.text
    return [row[0] for row in answer.json()["rows"]]


async def numbers(http: httpx.AsyncClient) -> dict[str, str]:
    return {row["case"]: row["number"] for row in (await http.get("/v1/cases")).json()["cases"]}


async def test_lists_are_read_over_http_and_on_the_command_line(
    harness: SlaHarness, monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(row_collection, "PAGE_CASES", 2)
    jiesu = CommandLine(monkeypatch, database_url)
    async with harness.build().running() as service, person_client(service) as http:
        for number in range(5):
            await harness.send_first_decision(f"case-{number}", LONG_AGO + timedelta(minutes=number), facility_failure=number == 3)
        for action in ("answer", "start_work", "handle"):
            await harness.send_action("case-0", action, text="=已处理")
        await harness.send_action("case-0", "call_back", role="supervisor", outcome="satisfied")
        for number in range(5):
            await wait_for_events(service, f"case-{number}", "clock_breached" if number else "called_back")
        by_case = await numbers(http)
        everything = [by_case[f"case-{number}"] for number in range(5)]
        assert await listed(http) == everything
        assert await listed(http, called_back=True) == [everything[0]]
        assert set(await listed(http, overdue=True)) <= set(everything)
        assert await listed(http, overdue=True, called_back=False) == await listed(http, overdue=True, status="open", called_back=False)
        assert everything[3] in await listed(http, overdue=True)
        assert await listed(http, received_from=(LONG_AGO + timedelta(minutes=2)).isoformat()) == everything[2:]
        assert await listed(http, period=str(LONG_AGO.astimezone().date())) in ([], everything)
        frozen = (await http.get(f"{LISTS}/cases", params={"period": (LONG_AGO - timedelta(days=400)).strftime("%Y-%m")})).json()
        assert (frozen["rows"], frozen["period"]["from"][-15:]) == ([], "T00:00:00+08:00")
        as_csv = await http.get(f"{LISTS}/cases", headers={"Accept": "text/csv"})
        as_excel = await http.get(
            f"{LISTS}/cases",
            params={"language": "en"},
            headers={"Accept": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
        )
        refused = [
            await http.get(f"{LISTS}/none"),
            await http.get("/v1/lists/none/cases"),
            await http.get(f"{LISTS}/cases", params={"period": "2026-13"}),
            await http.get(f"{LISTS}/cases", params={"colour": "red"}),
            await http.get(f"{LISTS}/cases", headers={"Accept": "text/html"}),
            await http.get(f"{LISTS}/cases", headers={"Authorization": "Bearer unknown"}),
        ]
        await assert_command_line(jiesu, everything, tmp_path)
    assert [answer.status_code for answer in refused] == [404, 404, 422, 422, 406, 401]
    rows = list(csv.reader(io.StringIO(as_csv.content.decode("utf-8-sig"), newline="")))
    assert as_csv.content.startswith(b"\xef\xbb\xbf")
    assert [row[0] for row in rows[1:]] == everything
    assert "attachment" in as_csv.headers["content-disposition"]
    [sheet] = openpyxl.load_workbook(io.BytesIO(as_excel.content)).worksheets
    cells = list(sheet.iter_rows(values_only=True))
    assert cells[0][:2] == ("case number", "time of receipt")
    assert [row[0] for row in cells[1:]] == everything
    assert cells[1][1] == LONG_AGO.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+08:00").tzinfo).replace(
        tzinfo=None, microsecond=0
    )


async def assert_command_line(jiesu: CommandLine, everything: list[str], folder: Path) -> None:
    as_json = await jiesu("list", "hunan-property", "cases")
    assert [row[0] for row in json.loads(as_json.stdout)["rows"]] == everything
    called_back = await jiesu("list", "hunan-property", "cases", "--called-back", "--csv", "--out", "list.csv")
    assert called_back.exit_code == 0, called_back.output
    assert [row[0] for row in csv.reader(io.StringIO((folder / "list.csv").read_text("utf-8-sig")))][1:] == everything[:1]
    excel = await jiesu("list", "hunan-property", "cases", "--xlsx", "--english")
    assert "hunan-property-cases.xlsx" in excel.stdout
    assert openpyxl.load_workbook(folder / "hunan-property-cases.xlsx").active is not None
    assert "cases" in (await jiesu("list", "hunan-property")).stdout.split()
    for wrong in (["none"], ["cases", "--period", "x"], ["cases", "--csv", "--xlsx"], ["cases", "--received-from", "yesterday"]):
        assert (await jiesu("list", "hunan-property", *wrong)).exit_code == 2


async def test_rows_are_of_one_state_of_the_database(harness: SlaHarness) -> None:
    procedure = load_procedure("hunan-property")
    async with harness.build().running() as service:
        await harness.send_first_decision("before")
        await wait_for_events(service, "before", "registered")
        reader = ListReader(lambda _case, _basis: FormTexts(procedure, open_organisation()))
        async with service.database.transaction() as tx:
            await read_in_one_snapshot(tx)
            assert await tx.fetchval("SELECT count(*) FROM cases") == 1
            await harness.send_first_decision("after")
            await harness.send_action("before", "answer", text="已答复")
            await wait_for_events(service, "after", "registered")
            await wait_for_events(service, "before", "first_answered")
            spool = await collect_rows(tx, procedure, _WITH_ANSWER, ListScope(), reader)
        rows = list(spool.rows())
        spool.close()
        async with service.database.transaction() as tx:
            later = await collect_rows(tx, procedure, _WITH_ANSWER, ListScope(), reader)
        assert rows == [("before", [None])]
        assert dict(later.rows()) == {"before": ["已答复"], "after": [None]}
        later.close()


async def test_list_shows_each_reader_the_cases_that_he_may_read(harness: SlaHarness) -> None:
    async with (
        harness.build().running() as service,
        person_client(service) as http,
        person_client(service, OTHER_DEPARTMENT_TOKEN) as gardener,
    ):
        departments = {"repairs": "repairs", "gardens": "gardens", "against": "gardens"}
        routes: dict[str, dict[str, Any]] = {case: {"department": department} for case, department in departments.items()}
        await record_routed_cases(harness, service, http, routes | {"nobody": {}})
        accuse = {"action": "amend", "role": "assistant", "data": {"fields": {"against": ["qian"]}}}
        assert (await http.post("/v1/cases/against/actions", json=accuse)).status_code == 200
        by_case = await numbers(http)
        everything, own = set(await listed(http)), set(await listed(gardener))
        single = {by_case[case] for case in by_case if (await gardener.get(f"/v1/cases/{case}")).status_code == 200}
        assert await listed(gardener, against="qian") == []
        assert await listed(http, against="qian") == [by_case["against"]]
    assert everything == set(by_case.values())
    assert own == single == {by_case["gardens"], by_case["nobody"]}
