"""`--out` into a folder that does not exist, or onto a folder: one line and exit status 2, before the database is asked."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.main import app
from cli.output_file import require_folder, writing_out

COMMANDS = [
    ["list", "hunan-property", "not_handled"],
    ["form", "case-1", "case_record"],
    ["forms", "issue", "hunan-property", "case_record", "--keeper", "li", "--to", "wu"],
    ["forms", "volume", "2025", "--procedure", "hunan-property", "--keeper", "li"],
    ["triage", "export"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_missing_folder_is_one_line_and_exit_status_2(command: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "none" / "file")])
    assert (result.exit_code, result.exception.__class__) == (2, SystemExit)
    assert result.output.splitlines() == ["--out: the folder does not exist; give a path in a folder that exists and that you may write to"]


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["procedure", "explain", "quality-claims"], "--html"),
        (["procedure", "messages", "quality-claims"], "--html"),
        (["procedure", "schema"], "--output"),
        (["procedure", "new", "mine"], "--into"),
        (["notify", "preview", "example", "call_back", "--channel", "email"], "--html"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_option_that_cannot_be_written_is_one_line_and_exit_status_2(command: list[str], option: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(app, [*command, option, str(tmp_path / "file" / "in")])
    assert (result.exit_code, result.exception.__class__) == (2, SystemExit)
    lines = result.output.splitlines()
    assert lines[-1].startswith(f"{option}: cannot be written (Not a directory); give a path in a folder")


def test_a_file_that_cannot_be_written_is_one_line_and_exit_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require_folder(None)
    require_folder(tmp_path / "file")
    with pytest.raises(typer.Exit) as ended, writing_out():
        tmp_path.write_bytes(b"x")
    assert ended.value.exit_code == 2
    assert (
        capsys.readouterr().err
        == "--out: cannot be written (Is a directory); give a path in a folder that exists and that you may write to\n"
    )
