"""`jiesu calendar`: shows a year, checks a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.commands.authoring.calendar import app
from cli.commands.authoring.deadline import app as deadline

BRANCH = "id: branch\nversion: 2\npublished_until: 2027-12-31\n"


def write_calendar(folder: Path, text: str) -> Path:
    path = folder / "branch.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_calendar_file_is_checked_and_shown(tmp_path: Path) -> None:
    file = write_calendar(tmp_path, BRANCH + "days: {2027-02-06: off, 2026-09-28: off}\n")
    checked = CliRunner().invoke(app, ["check", str(file)])
    assert (checked.exit_code, "branch, version 2" in checked.stdout) == (0, True)
    assert "28 off" in CliRunner().invoke(app, ["show", "2026", "--calendar", str(file)]).stdout


def test_deadline_uses_a_calendar_file(tmp_path: Path) -> None:
    file = write_calendar(tmp_path, BRANCH + "days: {2026-09-28: off}\n")
    options = ["--duration", "1wd", "--start", "2026-09-24T16:40:00+08:00", "--calendar", str(file), "--json"]
    assert json.loads(CliRunner().invoke(deadline, options).stdout)["due"] == "2026-09-29T18:00:00+08:00"


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (BRANCH, "2027 has no exception at all"),
        ("id: branch\nversion: 2\ndays: {2027-02-06: off}\n", "lies after published_until"),
        (BRANCH.replace("12-31", "12-30") + "days: {2027-02-06: off}\n", "is not the end of a month"),
    ],
)
def test_suspicious_calendar_passes_with_a_warning(tmp_path: Path, text: str, warning: str) -> None:
    checked = CliRunner().invoke(app, ["check", str(write_calendar(tmp_path, text))])
    assert checked.exit_code == 0
    assert warning in checked.stdout


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (BRANCH + "version: 3\n", "branch.yaml:4: duplicate key «version» (first on line 2); keep one"),
        (BRANCH + "days: {2026-09-28: off, 2026-09-28: off}\n", "duplicate key «2026-09-28»"),
    ],
)
def test_a_calendar_with_a_repeated_key_is_refused_with_its_line(tmp_path: Path, text: str, fault: str) -> None:
    checked = CliRunner().invoke(app, ["check", str(write_calendar(tmp_path, text))])
    assert (checked.exit_code, fault in checked.output) == (2, True), checked.output


def test_a_calendar_is_read_by_yaml_1_2_as_packs_are(tmp_path: Path) -> None:
    """YAML 1.1 reads an id of `no` as false."""
    checked = CliRunner().invoke(app, ["check", str(write_calendar(tmp_path, "id: no\nversion: 1\n"))])
    assert (checked.exit_code, "no, version 1" in checked.stdout) == (0, True), checked.output


@pytest.mark.parametrize("text", ["- a list", "id: [", "id: x\nversion: 1\nhours: {}\n"])
def test_invalid_calendar_ends_with_status_2(tmp_path: Path, text: str) -> None:
    assert CliRunner().invoke(app, ["check", str(write_calendar(tmp_path, text))]).exit_code == 2


def test_public_schedule_is_shown_by_default() -> None:
    shown = CliRunner().invoke(app, ["show"]).stdout
    assert "2026-02  16 working days  14 work" in shown
    assert "248 working days" in shown
