"""Ledger, replay, evidence and seals on a real database: every change of a stored record is detected."""

import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.procedures.loading.loader import PACKS_FOLDER
from shared.runtime.service import Service
from tests.integration.sla.recorded_cases import RECORDED_CASES, CommandLine, record_three_cases
from tests.integration.sla.sla_harness import OTHER_DEPARTMENT_TOKEN, SlaHarness, person_client


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


FLIPPED_BYTE = "set_byte(body, 40, get_byte(body, 40) # 1)"
EXCHANGED_EVENTS = """
UPDATE ledger l SET body = o.body, hash = o.hash, type = o.type, at = o.at, recorded_at = o.recorded_at, cause = o.cause, origin = o.origin
FROM ledger o WHERE l.case_id = 'past-2' AND o.case_id = 'past-2' AND l.sequence IN (3, 4) AND o.sequence = 7 - l.sequence
"""
TAMPERINGS = {
    "a flipped byte": (f"UPDATE ledger SET body = {FLIPPED_BYTE} WHERE case_id = 'past-2' AND sequence = 3", "event 3"),
    "a missing event": ("DELETE FROM ledger WHERE case_id = 'past-2' AND sequence = 3", "event 3 is missing"),
    "an exchanged event": (EXCHANGED_EVENTS, "event 3"),
    "a tail cut off": ("DELETE FROM ledger WHERE case_id = 'past-2' AND sequence > 4", "the last events are missing"),
    "an event dated back": ("UPDATE ledger SET at = at - interval '1 day' WHERE case_id = 'past-2' AND sequence = 3", "column at"),
    "a head set otherwise": ("UPDATE cases SET head = sha256('x') WHERE id = 'past-2'", "head"),
    "a case removed": ("DELETE FROM cases WHERE id = 'past-2'", "the case is gone"),
}


async def test_ledger_verify_finds_every_kind_of_tampering(service: Service, jiesu: CommandLine) -> None:
    result = await jiesu("ledger", "verify", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"cases": 3, "faults": []}
    for name, (statement, expected) in TAMPERINGS.items():
        async with service.database.transaction() as tx:
            await tx.execute("DROP TABLE IF EXISTS saved_ledger, saved_cases")
            await tx.execute("CREATE TABLE saved_ledger AS SELECT * FROM ledger; CREATE TABLE saved_cases AS SELECT * FROM cases")
        await tamper(service, statement)
        result = await jiesu("ledger", "verify", "--json")
        assert result.exit_code == 1, name
        faults = json.loads(result.stdout)["faults"]
        assert {fault["case"] for fault in faults} == {"past-2"}, name
        assert any(expected in fault["fault"] for fault in faults), (name, faults)
        async with service.database.transaction() as tx:
            await tx.execute("TRUNCATE ledger, cases")
            await tx.execute("INSERT INTO ledger SELECT * FROM saved_ledger; INSERT INTO cases SELECT * FROM saved_cases")
    assert (await jiesu("ledger", "verify", "--case", "past-1", "--case", "no-such")).exit_code == 1


async def test_replay_reproduces_every_case_and_finds_changed_state(service: Service, jiesu: CommandLine) -> None:
    result = await jiesu("replay", "--verify", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"cases": 3, "differences": []}
    await tamper(service, "UPDATE ledger SET cause = 'triage' WHERE case_id = 'past-1' AND type = 'closed'")
    await tamper(service, "UPDATE cases SET state = convert_to(replace(convert_from(state, 'UTF8'), '\"level\":0', '\"level\":1'), 'UTF8')")
    result = await jiesu("replay", "--verify", "--json")
    assert result.exit_code == 1
    differences = {row["case"]: row["difference"] for row in json.loads(result.stdout)["differences"]}
    assert differences.keys() == set(RECORDED_CASES)
    assert "level: stored 1, replayed 0" in differences["past-3"]
    assert (await jiesu("replay", "--verify", "--case", "no-such")).exit_code == 1


@pytest.mark.usefixtures("service")
async def test_evidence_archive_is_verified_without_the_database_and_forgeries_are_found(jiesu: CommandLine, tmp_path: Path) -> None:
    archive = tmp_path / "past-2.zip"
    exported = await jiesu("evidence", "past-2", "--out", archive)
    assert exported.exit_code == 0, exported.output
    jiesu.monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://nobody@127.0.0.1:1/nowhere")
    verified = await jiesu("evidence", "--verify", archive)
    assert verified.exit_code == 0, verified.output
    with zipfile.ZipFile(archive) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    assert b"example.org" not in b"".join(files.values())
    assert "3.5.1" in json.loads(files["clauses.json"])
    assert any(run["dues"][0]["segments"] for rounds in json.loads(files["explanations.json"]).values() for run in rounds if run["dues"])
    forgeries = {
        "ledger.jsonl": files["ledger.jsonl"].replace("三号楼".encode(), "四号楼".encode()),
        "events.json": files["events.json"].replace("三号楼".encode(), "四号楼".encode()),
        "explanations.json": files["explanations.json"].replace(b"T16:00:00", b"T17:00:00").replace(b"T00:00:00", b"T01:00:00"),
        "procedure.yaml": files["procedure.yaml"].replace(b"within: same_day", b"within: 3d"),
    }
    for name, data in forgeries.items():
        assert data != files[name], name
        forged = tmp_path / f"{name}.zip"
        with zipfile.ZipFile(forged, "w") as written:
            for member, content in (files | {name: data}).items():
                written.writestr(member, content)
        assert (await jiesu("evidence", "--verify", forged)).exit_code == 1, name
    assert (await jiesu("evidence", "--verify", tmp_path / "none.zip")).exit_code == 2
    older = {
        "manifest.json": files["manifest.json"].replace(b'"format": 3', b'"format": 2').replace(b'"format":3', b'"format":2'),
        "explanations.json": json.dumps(without_fields(json.loads(files["explanations.json"]))).encode(),
    }
    assert all(data != files[name] for name, data in older.items())
    with zipfile.ZipFile(tmp_path / "format-2.zip", "w") as written:
        for member, content in (files | older).items():
            written.writestr(member, content)
    verified = await jiesu("evidence", "--verify", tmp_path / "format-2.zip")
    assert verified.exit_code == 0, verified.output


def without_fields(explanation: Any) -> Any:
    """An explanation of format 2."""
    if isinstance(explanation, dict):
        added = ("ended_at", "reminders", "days_off", "hours")
        return {name: without_fields(value) for name, value in explanation.items() if name not in added}
    return [without_fields(each) for each in explanation] if isinstance(explanation, list) else explanation


async def test_evidence_is_downloaded_by_who_may_see_the_case_and_holds(service: Service, jiesu: CommandLine, tmp_path: Path) -> None:
    async with person_client(service) as http:
        await http.post("/v1/cases/past-2/actions", json={"action": "route", "role": "supervisor", "data": {"department": "repairs"}})
        answer, unknown = await http.get("/v1/cases/past-2/evidence"), await http.get("/v1/cases/none/evidence")
    async with person_client(service, OTHER_DEPARTMENT_TOKEN) as http:
        hidden = await http.get("/v1/cases/past-2/evidence")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert (unknown.status_code, hidden.status_code) == (404, 404)
    archive = tmp_path / "downloaded.zip"
    archive.write_bytes(answer.content)
    verified = await jiesu("evidence", "--verify", archive)
    assert verified.exit_code == 0, verified.output
    await tamper(service, TAMPERINGS["an event dated back"][0])
    async with person_client(service) as http:
        tampered = await http.get("/v1/cases/past-2/evidence")
    assert tampered.status_code == 409
    assert "no evidence" in tampered.text


@pytest.mark.usefixtures("service")
async def test_version_comparison_names_deadlines_and_breaches_that_differ(jiesu: CommandLine, tmp_path: Path) -> None:
    procedure = (PACKS_FOLDER / "hunan-property" / "procedure.yaml").read_text(encoding="utf-8")
    other = tmp_path / "other" / "procedure.yaml"
    other.parent.mkdir()
    other.write_text(procedure.replace("within: same_day", "within: 60d"), encoding="utf-8")
    archive = tmp_path / "past-2.zip"
    assert (await jiesu("evidence", "past-2", "--out", archive)).exit_code == 0
    for cases, number in (("all", 3), ("past-2", 1), (archive, 1)):
        same = await jiesu("procedure", "replay", "hunan-property", "--cases", cases, "--json")
        assert json.loads(same.stdout) == {"cases": number, "differences": []}, same.output
        result = await jiesu("procedure", "replay", other.parent, "--cases", cases, "--json")
        assert result.exit_code == 0, result.output
        changed = [row for row in json.loads(result.stdout)["differences"] if row["case"] == "past-2"]
        assert {("deadline", "same_day"), ("breach", "same_day")} <= {(row["what"], row["name"]) for row in changed}
        assert next(row for row in changed if row["what"] == "breach")["after"] is None
    assert (await jiesu("procedure", "replay", "hunan-property", "--cases", "no-such")).exit_code == 2


async def test_year_seal_is_created_once_and_covers_the_cases_that_ended_in_the_year(
    service: Service, jiesu: CommandLine, tmp_path: Path
) -> None:
    async with service.database.transaction() as tx:
        year = (await tx.fetchval("SELECT at FROM ledger WHERE case_id = 'past-1' AND type = 'closed'")).year
    early = await jiesu("ledger", "seal", year)
    assert early.exit_code == 2
    assert "not over" in early.output
    now = f"{year + 1}-01-02T00:00:00+08:00@{year}-01-01T00:00:00Z x 0.000001"
    jiesu.monkeypatch.setenv("JIESU_CLOCK", now)
    first = await jiesu("ledger", "seal", year, "--json")
    assert first.exit_code == 0, first.output
    seal = json.loads(first.stdout)
    assert [leaf["case"] for leaf in seal["leaves"]] == ["past-1", "past-3"]
    again = await jiesu("ledger", "seal", year, "--json")
    assert json.loads(again.stdout) == seal
    archive = tmp_path / "past-1.zip"
    assert (await jiesu("evidence", "past-1", "--out", archive)).exit_code == 0
    assert (await jiesu("evidence", "--verify", archive, "--root", seal["root"])).exit_code == 0
    assert (await jiesu("evidence", "--verify", archive, "--root", "00" * 32)).exit_code == 1
    await tamper(service, "UPDATE seal_leaf SET head = sha256('x') WHERE case_id = 'past-3'")
    broken = await jiesu("ledger", "verify")
    assert broken.exit_code == 1
    assert "past-3" in broken.output
    assert (await jiesu("ledger", "seal", year)).exit_code == 1
