"""`jiesu intake import` and `replay` on intake's database, as an operator calls them."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from cli.commands.operations.intake import app
from services.intake.config import IntakeSettings
from tests.support.messaging.import_samples import ROWS, csv_bytes, organisation_with_imports, read_csv
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS
from tests.support.messaging.settings import SettingsFactory

Command = Callable[..., Awaitable[Result]]


@pytest.fixture
def intake_command(make_settings: SettingsFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    settings = make_settings(IntakeSettings)
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("JIESU_SEALING_KEYS", ENCRYPTION_KEYS.get_secret_value())
    monkeypatch.setenv("JIESU_ORGANISATION", str(organisation_with_imports(tmp_path)))
    monkeypatch.setenv("JIESU_MAX_IMPORT_BYTES", "10000")
    return lambda *words: asyncio.to_thread(CliRunner().invoke, app, [str(word) for word in words])


async def test_file_is_imported_reported_and_replayed(intake_command: Command, tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_bytes(csv_bytes(ROWS, "gb18030"))
    checked = await intake_command("import", file, "--source", "web", "--dry-run", "--report", tmp_path / "dry.csv")
    assert checked.exit_code == 1, checked.output
    assert "6 valid" in checked.stdout
    assert "7 rows: 1 duplicate, 1 refused, 5 registered" in (await intake_command("import", file, "--source", "web")).stdout
    report = read_csv((tmp_path / "export.csv.report.csv").read_bytes(), "gb18030")
    assert [row["jiesu_status"] for row in report] == [*["registered"] * 5, "refused", "duplicate"]
    file.write_bytes(csv_bytes(ROWS[:2], "utf-8-sig"))
    again = await intake_command("import", file, "--source", "web", "--json")
    assert (again.exit_code, orjson.loads(again.stdout)["counts"]) == (0, {"duplicate": 2})
    assert "UTF-8, by its byte order mark" in again.stdout
    replayed = await intake_command("replay", "--channel", "file")
    assert replayed.exit_code == 1
    assert "3 raw copies: 8 duplicate, 1 ignored, 1 refused" in replayed.stdout


async def test_what_cannot_be_imported_ends_the_command_with_one_line(intake_command: Command, tmp_path: Path) -> None:
    large, image, good = tmp_path / "large.csv", tmp_path / "image.csv", tmp_path / "good.csv"
    good.write_bytes(csv_bytes(ROWS[:1], "utf-8"))
    large.write_bytes(b"x" * 10_001)
    image.write_bytes(b"\x89PNG\x00\x00")
    calls: list[tuple[list[object], str]] = [
        (["import", large, "--source", "web"], "has more than 10000 bytes (JIESU_MAX_IMPORT_BYTES); split it"),
        (["import", image, "--source", "web"], "file: neither_csv_nor_excel: send CSV, .xlsx or .xls"),
        (["import", "/dev/null", "--source", "web"], "/dev/null: file: empty: send a file with a row of titles and at least one row"),
        (["import", image, "--source", "hotline"], "hotline has no imports in the organisation file; those that have: web"),
        (["import", image, "--source", "web", "--report", tmp_path / "none/x.csv"], "--report: the folder does not exist"),
        (["import", good, "--source", "web", "--report", tmp_path], f"{tmp_path}: cannot be used (Is a directory)"),
        (["replay", "--id", "absent"], "there is no raw copy absent"),
    ]
    for words, message in calls:
        result = await intake_command(*words)
        assert (result.exit_code, message in result.stderr) == (2, True), result.output


async def test_sigterm_leaves_no_file_in_plain_text_and_the_same_command_goes_on(
    intake_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, temporary = tmp_path / "export.csv", tmp_path / "temporary"
    # So many that the command cannot end before a slow machine comes to the signal.
    file.write_bytes(csv_bytes(ROWS[:1] * 2000, "utf-8"))
    temporary.mkdir()
    for name, value in (("TMPDIR", str(temporary)), ("JIESU_IMPORT_BATCH_ROWS", "1"), ("JIESU_MAX_IMPORT_BYTES", "1000000")):
        monkeypatch.setenv(name, value)
    # A script's background jobs ignore SIGINT.
    program = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); from cli.main import main; main()"
    command = (sys.executable, "-c", program, "intake", "import", str(file), "--source", "web")
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    assert await process.stderr.readline() == b"1 rows\n"
    assert [path.name for path in temporary.glob("*/file")] == ["file"]
    process.terminate()
    output = await process.stderr.read()
    assert await process.wait() != 0
    assert b"Traceback" not in output
    assert not list(temporary.iterdir())
    monkeypatch.delenv("JIESU_IMPORT_BATCH_ROWS")
    again = await intake_command("import", file, "--source", "web", "--json")
    assert (again.exit_code, orjson.loads(again.stdout)["counts"]) == (0, {"registered": 1, "duplicate": 1999}), again.output
    assert again.stderr.splitlines()[0] != "250 rows", "rows that are done are not read again"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("DATABASE_URL", "mysql://x", "DATABASE_URL"),
        ("DATABASE_URL", "postgresql://jiesu@127.0.0.1:1/jiesu", "the database of intake cannot be used"),
        ("JIESU_SEALING_KEYS", "one", "JIESU_SEALING_KEYS"),
        ("JIESU_SEALING_KEYS", "", "JIESU_SEALING_KEYS"),
        ("JIESU_ORGANISATION", "absent.yaml", "absent.yaml"),
        ("JIESU_ORGANISATION", "broken.yaml", "broken.yaml:1: "),
    ],
)
async def test_setting_that_cannot_be_used_ends_the_command_with_status_2(
    intake_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    file = tmp_path / "export.csv"
    file.write_bytes(csv_bytes(ROWS[:1], "utf-8"))
    (tmp_path / "broken.yaml").write_text("sources: 5")
    monkeypatch.setenv(variable, str(tmp_path / value) if variable == "JIESU_ORGANISATION" else value)
    result = await intake_command("import", file, "--source", "web")
    assert (result.exit_code, message in result.stderr, len(result.stderr.splitlines())) == (2, True, 1), result.output
