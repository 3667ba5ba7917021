"""Forms on a real database: printed by HTTP and by command, issued under numbers, bound in a volume, and verified."""

import json
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pypdfium2 import PdfDocument

from shared.runtime.service import Service
from tests.integration.sla.recorded_cases import CommandLine, record_three_cases
from tests.integration.sla.sla_harness import OTHER_DEPARTMENT_TOKEN, SlaHarness, person_client

FORM = "complaint_record"
URL = f"/v1/cases/past-1/forms/{FORM}"


@pytest.fixture
async def service(harness: SlaHarness) -> AsyncIterator[Service]:
    async with harness.build().running() as running:
        await record_three_cases(harness, running)
        yield running


@pytest.fixture
def jiesu(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    return CommandLine(monkeypatch, database_url)


async def tamper(service: Service, statement: str) -> None:
    async with service.database.transaction() as tx:
        assert await tx.execute(statement) not in ("UPDATE 0", "DELETE 0")


async def ledger_faults(jiesu: CommandLine) -> list[str]:
    result = await jiesu("ledger", "verify", "--json")
    return [fault["fault"] for fault in json.loads(result.stdout)["faults"]]


async def test_form_is_printed_by_http_in_its_present_state_and_in_a_signed_version(service: Service) -> None:
    async with person_client(service) as http:
        present, first = await http.get(URL), await http.get(URL, params={"version": 1})
        # The first PDF of a process imports the library and reads the font of 19 MB.
        pdf = await http.get(URL, headers={"Accept": "application/pdf"}, timeout=60)
        unknown = [await http.get("/v1/cases/past-1/forms/none"), await http.get("/v1/cases/none/forms/none")]
    assert present.status_code == 200, present.text
    assert "三号楼电梯停运" in present.text
    assert "sealed" not in present.text
    assert re.search(r'<span class="line">li</span>', present.text)
    assert "第1版" in first.text
    assert pdf.content.startswith(b"%PDF-")
    assert [answer.status_code for answer in unknown] == [404, 404]


async def test_form_of_another_departments_case_is_answered_like_an_unknown_case(service: Service, harness: SlaHarness) -> None:
    await harness.send_first_decision("case-9")
    async with person_client(service) as http, person_client(service, OTHER_DEPARTMENT_TOKEN) as outsider:
        route = {"action": "route", "role": "supervisor", "data": {"department": "repairs"}}
        for _ in range(2):
            await http.post("/v1/cases/past-2/actions", json=route)
        hidden = await outsider.get(f"/v1/cases/past-2/forms/{FORM}")
        unknown = await outsider.get(f"/v1/cases/none/forms/{FORM}")
    assert (hidden.status_code, hidden.json()) == (404, unknown.json())


@pytest.mark.usefixtures("service")
async def test_form_is_printed_by_command_and_its_hash_is_checked(jiesu: CommandLine, tmp_path: Path) -> None:
    for form_format, start in (("html", b"<!doctype html>"), ("pdf", b"%PDF-"), ("docx", b"PK")):
        result = await jiesu("form", "past-1", FORM, f"--{form_format}")
        assert result.exit_code == 0, result.output
        assert (tmp_path / f"past-1-{FORM}.{form_format}").read_bytes().startswith(start)
    versions = json.loads((await jiesu("form", "past-1", FORM, "--versions")).stdout)
    assert [version["event"] for version in versions] == ["first_answered", "work_started", "handled", "called_back", "closed"]
    holds = await jiesu("form", "past-1", FORM, "--verify", versions[1]["hash"])
    assert (holds.exit_code, holds.stdout) == (0, "version 2: holds\n")
    assert (await jiesu("form", "past-1", FORM, "--verify", "00" * 32)).exit_code == 1
    for arguments in (
        ("none", FORM),
        ("past-1", "none"),
        ("past-1", FORM, "--version", "9"),
        ("2026-09", FORM),
        ("past-1", FORM, "--pdf", "--docx"),
    ):
        assert (await jiesu("form", *arguments)).exit_code == 2, arguments


async def test_no_form_is_printed_from_a_changed_ledger(service: Service, jiesu: CommandLine) -> None:
    await tamper(service, "UPDATE ledger SET body = set_byte(body, 40, get_byte(body, 40) # 1) WHERE case_id = 'past-1' AND sequence = 3")
    result = await jiesu("form", "past-1", FORM)
    assert result.exit_code == 1
    assert "its forms prove nothing" in result.output


async def test_blank_forms_are_numbered_registered_and_accounted_for(service: Service, jiesu: CommandLine, tmp_path: Path) -> None:
    year = datetime.now(UTC).year
    for count in (2, 3):
        issued = await jiesu(
            "forms", "issue", "hunan-property", FORM, "--count", count, "--keeper", "吴芳", "--to", "唐丽", "--out", "blank.pdf"
        )
        assert issued.exit_code == 0, issued.output
    assert f"{year}-00003 to {year}-00005" in issued.stdout
    with PdfDocument((tmp_path / "blank.pdf").read_bytes()) as document:
        numbers = [re.findall(rf"{FORM} ({year}-\d+)", page.get_textpage().get_text_range()) for page in document]
    assert [number for found in numbers for number in found] == [f"{year}-{serial:05}" for serial in (3, 4, 5)]
    assert (await jiesu("forms", "return", "hunan-property", FORM, f"{year}-00001", "--case", "past-1")).exit_code == 0
    assert (await jiesu("forms", "return", "hunan-property", FORM, f"{year}-00002", "--void", "涂改")).exit_code == 0
    for number in (f"{year}-00002", f"{year}-00099", "seven"):
        assert (await jiesu("forms", "return", "hunan-property", FORM, number, "--void", "again")).exit_code == 2, number
    register = json.loads((await jiesu("forms", "register", "--json")).stdout)
    assert [form["outcome"] for form in register["forms"]] == ["used", "void: 涂改", "", "", ""]
    assert [form["case"] for form in register["forms"]][:2] == ["past-1", ""]
    assert await ledger_faults(jiesu) == []
    await tamper(service, "DELETE FROM form_issue WHERE serial = 2")
    assert (await jiesu("forms", "register")).exit_code == 1
    assert any(f"{year}-00002 is missing" in fault for fault in await ledger_faults(jiesu))


async def test_registered_copy_of_a_signed_version_is_verified_with_the_ledger(service: Service, jiesu: CommandLine) -> None:
    issue = ("forms", "issue", "hunan-property", FORM, "--keeper", "吴芳", "--to", "客户", "--case", "past-1")
    assert (await jiesu(*issue, "--version", "2")).exit_code == 0
    assert (await jiesu(*issue)).exit_code == 0
    assert (await jiesu(*issue, "--version", "9")).exit_code == 2
    assert await ledger_faults(jiesu) == []
    await tamper(service, "UPDATE form_issue SET hash = sha256('x') WHERE serial = 1")
    [fault] = await ledger_faults(jiesu)
    assert "of version 2 differs from the ledger" in fault


@pytest.mark.usefixtures("service")
async def test_evidence_holds_the_signed_versions_and_finds_a_forged_one(jiesu: CommandLine, tmp_path: Path) -> None:
    archive = tmp_path / "past-1.zip"
    assert (await jiesu("evidence", "past-1", "--out", archive)).exit_code == 0
    assert (await jiesu("evidence", "--verify", archive)).exit_code == 0
    with zipfile.ZipFile(archive) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    versions = json.loads(files["forms.json"])
    assert [version["version"] for version in versions] == [1, 2, 3, 4, 5]
    forged = files["forms.json"].replace(versions[2]["hash"].encode(), b"0" * 64)
    with zipfile.ZipFile(archive, "w") as changed:
        for name, content in {**files, "forms.json": forged}.items():
            changed.writestr(name, content)
    verified = await jiesu("evidence", "--verify", archive)
    assert verified.exit_code == 1
    assert f"version 3 of the form {FORM} differs" in verified.output


async def test_closed_records_of_a_sealed_year_are_bound_in_one_volume(service: Service, jiesu: CommandLine, tmp_path: Path) -> None:
    year = datetime.now(UTC).year
    bind = ("forms", "volume", year, "--procedure", "hunan-property", "--keeper", "吴芳", "--out", "volume.pdf")
    unsealed = await jiesu(*bind)
    assert unsealed.exit_code == 2
    assert "is not sealed" in unsealed.output
    jiesu.monkeypatch.setenv("JIESU_CLOCK", f"{year + 1}-01-05T09:00:00+08:00@{year}-01-01T00:00:00Z x 0.000001")
    sealed = await jiesu("ledger", "seal", year)
    assert sealed.exit_code == 0, sealed.output
    bound = await jiesu(*bind)
    assert bound.exit_code == 0, bound.output
    with PdfDocument((tmp_path / "volume.pdf").read_bytes()) as document:
        pages = [page.get_textpage().get_text_range() for page in document]
    root = json.loads((tmp_path / "var" / "seals" / f"{year}.json").read_text(encoding="utf-8"))["root"]
    assert root[:40] in pages[0]
    assert "客户投诉受理登记表" in pages[2]
    assert "保管人（吴芳）" in pages[-1]
    # past-1 is closed; past-2 is open and past-3 withdrawn.
    assert "1件" in pages[-1]
    assert (await jiesu("forms", "volume", year, "--procedure", "eight-steps", "--keeper", "吴芳")).exit_code == 2
    await tamper(service, "UPDATE seal SET root = sha256('x')")
    assert (await jiesu(*bind)).exit_code == 1
