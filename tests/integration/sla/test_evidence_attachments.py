"""Attachments in the evidence of a case: included, and every later change of them found."""

import json
import zipfile
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from services.intake.attachments.config import AttachmentSettings
from services.intake.attachments.setup import open_attachments
from services.intake.attachments.store import AttachmentStore
from services.sla.bootstrap import build
from shared.runtime.database.database import Database
from tests.integration.intake.attachments.conftest import ATTACHMENT_KEY, JPEG
from tests.integration.sla.recorded_cases import CommandLine, wait_for_events
from tests.integration.sla.sla_harness import SlaHarness

DIGEST = sha256(JPEG).hexdigest()


@pytest.fixture
async def store(harness: SlaHarness, database_url: str, tmp_path: Path) -> AsyncIterator[AttachmentStore]:
    values = {"database_url": database_url, "attachment_store": str(tmp_path / "store"), "attachment_key": ATTACHMENT_KEY}
    settings = AttachmentSettings(**(harness.settings.model_dump() | values))
    database = Database(settings, "intake")
    opened = open_attachments(settings, database)
    assert opened is not None
    yield opened
    await database.close()


@pytest.fixture
async def jiesu(
    store: AttachmentStore, harness: SlaHarness, monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> CommandLine:
    """The command line beside a case whose survey has a photograph and a file that was erased."""
    photo, erased = await store.put("现场.jpg", JPEG), await store.put("身份证.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(30))
    async with build(harness.settings).running() as service:
        await harness.send_first_decision("case-1")
        await harness.send_action("case-1", "survey", attachments=[photo.reference, erased.reference, "草图.png"])
        await wait_for_events(service, "case-1", "surveyed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JIESU_ATTACHMENT_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("JIESU_ATTACHMENT_KEY", ATTACHMENT_KEY)
    command = CommandLine(monkeypatch, database_url)
    assert (await command("attachments", "erase", erased.sha256, "--because", "客户要求")).exit_code == 0
    return command


async def test_archive_holds_the_files_and_a_changed_one_is_found(jiesu: CommandLine, tmp_path: Path) -> None:
    archive = tmp_path / "case-1.zip"
    exported = await jiesu("evidence", "case-1", "--out", archive)
    assert exported.exit_code == 0, exported.output
    with zipfile.ZipFile(archive) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    assert files[f"attachments/{DIGEST}"] == JPEG
    listing = [(entry["name"], entry["state"], entry["because"]) for entry in json.loads(files["attachments.json"])]
    assert listing == [("现场.jpg", "included", ""), ("身份证.png", "erased", "客户要求")]
    jiesu.monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://nobody@127.0.0.1:1/nowhere")
    verified = await jiesu("evidence", "--verify", archive)
    assert (verified.exit_code, "1 attachments have the digests that the events name" in verified.output) == (0, True), verified.output
    entries = json.loads(files["attachments.json"])
    forgeries: dict[str, dict[str, bytes | None]] = {
        "was changed": {f"attachments/{DIGEST}": JPEG + b"x"},
        "is missing": {f"attachments/{DIGEST}": None},
        "named by no event": {f"attachments/{sha256(b'other').hexdigest()}": b"other"},
        "does not list": {"attachments.json": json.dumps(entries[:1]).encode()},
        "cannot be read": {"attachments.json": b"{"},
    }
    for expected, changes in forgeries.items():
        forged = tmp_path / "forged.zip"
        with zipfile.ZipFile(forged, "w") as written:
            for member, content in {**files, **changes}.items():
                if content is not None:
                    written.writestr(member, content)
        result = await jiesu("evidence", "--verify", forged)
        assert (result.exit_code, expected in result.output) == (1, True), (expected, result.output)


async def test_changed_store_is_found_and_gives_no_evidence(jiesu: CommandLine, tmp_path: Path) -> None:
    sound = await jiesu("attachments", "verify")
    assert (sound.exit_code, sound.output) == (0, "1 attachments read, 0 missing or changed\n")
    path = tmp_path / "store" / DIGEST[:2] / DIGEST[2:]
    path.write_bytes(JPEG + b"x")
    changed, evidence = await jiesu("attachments", "verify"), await jiesu("evidence", "case-1")
    assert (changed.exit_code, evidence.exit_code) == (1, 1)
    assert changed.output.startswith(f"{DIGEST}: changed\n")
    assert DIGEST in evidence.output
    path.unlink()
    assert (await jiesu("attachments", "verify")).output.startswith(f"{DIGEST}: missing\n")
    (tmp_path / "store").rename(tmp_path / "unmounted")
    for folder_exists in (False, True):
        for command in (["attachments", "verify"], ["attachments", "erase", DIGEST, "--because", "x"], ["evidence", "case-1"]):
            away = await jiesu(*command)
            assert (away.exit_code, away.output.startswith("the store cannot be used: ")) == (2, True), away.output
        assert (tmp_path / "store").exists() == folder_exists
        (tmp_path / "store").mkdir(exist_ok=True)
    (tmp_path / "store").rmdir()
    (tmp_path / "unmounted").rename(tmp_path / "store")
    incomplete = await jiesu("evidence", "case-1")
    assert (incomplete.exit_code, "现场.jpg: not included: missing" in incomplete.output) == (0, True)
    jiesu.monkeypatch.setenv("JIESU_ATTACHMENT_STORE", "")
    assert (await jiesu("attachments", "verify")).exit_code == 2
    assert "现场.jpg: not included: no_store" in (await jiesu("evidence", "case-1")).output
    assert (await jiesu("attachments", "erase", DIGEST.upper(), "--because", "x")).exit_code == 2
