"""`jiesu logs`: lines of all services in the order of time, those of one case, and what is written meanwhile."""

from pathlib import Path

import pytest
from click import ClickException
from typer.testing import CliRunner

from cli.commands.operations.logs import logs
from cli.main import app
from cli.stack.log_lines import LogFile, log_files

INTAKE = '{"event": "registered", "level": "info", "timestamp": "2026-11-28T01:00:01.000001Z", "case": "HN-2026-1", "source": "12345"}'
SLA = '{"event": "armed", "level": "info", "timestamp": "2026-11-28T01:00:00.5Z", "cases": ["HN-2026-1", "HN-2026-12"]}'
OTHER = '{"event": "armed", "level": "info", "timestamp": "2026-11-28T01:00:02Z", "case": "HN-2026-12"}'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "intake.log").write_text(f"{INTAKE}\n")
    (tmp_path / "logs" / "sla.log").write_text(f"{SLA}\nTraceback: HN-2026-1\n{OTHER}\n[1, 2]\n")
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "kafka.log").write_text("[2026-11-28 01:00:00] INFO started\n")
    return tmp_path


def shown(*arguments: str) -> list[str]:
    result = CliRunner().invoke(app, ["logs", *arguments])
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_lines_of_all_services_are_shown_in_the_order_of_time(root: Path) -> None:
    assert shown("--root", str(root)) == [
        "2026-11-28T01:00:00.5Z  sla      info     armed cases=['HN-2026-1', 'HN-2026-12']",
        "sla      Traceback: HN-2026-1",
        "2026-11-28T01:00:01.000 intake   info     registered case=HN-2026-1 source=12345",
        "2026-11-28T01:00:02Z    sla      info     armed case=HN-2026-12",
        "sla      [1, 2]",
    ]


def test_one_case_is_followed_through_the_services(root: Path) -> None:
    assert shown("--root", str(root), "--case", "HN-2026-1", "--json") == [SLA, "Traceback: HN-2026-1", INTAKE]
    assert shown("sla", "--root", str(root), "--case", "HN-2026-12", "--json") == [SLA, OTHER]


def test_logs_of_servers_are_shown_when_they_are_named(root: Path) -> None:
    assert shown("broker", "--root", str(root)) == ["broker   [2026-11-28 01:00:00] INFO started"]
    assert set(log_files(root)) == {"broker", "intake", "sla"}


def test_past_lines_are_limited(root: Path) -> None:
    assert shown("--root", str(root), "-n", "1") == ["sla      [1, 2]"]
    assert len(shown("--root", str(root), "-n", "0")) == 5


def test_lines_that_are_written_meanwhile_are_read_on_whole_and_after_a_new_start(tmp_path: Path) -> None:
    path = tmp_path / "sla.log"
    file = LogFile("sla", path)
    assert list(file.new_lines()) == []
    path.write_text("one\ntw")
    assert [line.text for line in file.new_lines()] == ["one"]
    path.write_text("one\ntwo\n")
    assert [line.text for line in file.new_lines()] == ["two"]
    path.write_text("new\n")
    assert [line.text for line in file.new_lines()] == ["new"]


def test_following_ends_at_ctrl_c(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    polls = iter([f"{OTHER}\n", None])

    def poll(_seconds: float) -> None:
        written = next(polls)
        if written is None:
            raise KeyboardInterrupt
        with (root / "logs" / "intake.log").open("a") as file:
            file.write(written)

    monkeypatch.setattr("cli.commands.operations.logs.time.sleep", poll)
    logs("intake", follow=True, root=root, as_json=True)
    assert capsys.readouterr().out.splitlines() == [INTAKE, OTHER]


def test_missing_logs_and_unknown_services_are_named_in_one_line(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ClickException, match="has no logs: start `jiesu up`, or name its folder with --root"):
        logs(root=tmp_path / "none")
    with pytest.raises(ClickException, match=r"desk: there is no such log in .*; there are intake, sla, broker"):
        logs("desk", root=root)
