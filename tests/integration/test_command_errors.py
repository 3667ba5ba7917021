"""Commands report an unusable server in one line; shown for several commands of the command line.

Most run in this process: a start of their own would take two seconds each and show nothing more.
"""

import os
import socket
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest

from cli.main import main as jiesu_main
from tests.support.repository import PROJECT

Run = Callable[[list[str], dict[str, str]], tuple[int, str]]
"""Runs the words of a command with settings of its own; its status and what it wrote."""

UNUSABLE = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "JIESU_ORGANISATION": str(PROJECT / "deploy" / "demo" / "organisation.yaml"),
}


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_main(words: list[str], settings: dict[str, str]) -> tuple[int, str]:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", words)
        name = words[0].partition("-")[2]
        main = import_module(f"services.{name}.__main__").main if name else jiesu_main
        # In a thread: commands start an event loop of their own.
        with ThreadPoolExecutor(1) as executor:
            ended = executor.submit(main).exception(timeout=60)
        assert isinstance(ended, SystemExit), ended
        # With a text the interpreter writes it, and ends with status 1.
        return (1, f"{ended.code}\n") if isinstance(ended.code, str) else (int(ended.code or 0), capsys.readouterr().err)

    return run_main


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        (["migrate"], 1, "Error: DATABASE_URL: PostgreSQL cannot be used (ConnectionRefusedError"),
        (["demo", "--json"], 1, "Error: KAFKA_BOOTSTRAP_SERVERS: no broker answers at 127.0.0.1:1"),
        (["ledger", "verify"], 2, "the database of sla cannot be used (ConnectionRefusedError"),
        (["erase", "--resume"], 1, "a database or the attachment store cannot be used (ConnectionRefusedError"),
        (["hold"], 2, "the database of sla cannot be used (ConnectionRefusedError"),
        (["backup", "compare"], 2, "KAFKA_BOOTSTRAP_SERVERS: the broker cannot be used (KafkaConnectionError"),
        (["dead-letters", "list"], 1, "the database of intake cannot be used (ConnectionRefusedError"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_unusable_server_is_named_in_one_line(run_here: Run, command: list[str], status: int, message: str) -> None:
    ended, written = run_here(["jiesu", *command], UNUSABLE)
    assert ended == status
    assert "Traceback" not in written
    assert written.strip().splitlines()[-1].startswith(message)


@pytest.mark.parametrize(
    ("words", "variable", "value"),
    [(["jiesu", "migrate"], "DATABASE_URL", UNUSABLE["DATABASE_URL"]), (["jiesu-sla"], "JIESU_CLOCK", "garbage")],
    ids=["jiesu", "jiesu-sla"],
)
def test_a_console_script_ends_with_the_status_and_the_line_of_its_command(words: list[str], variable: str, value: str) -> None:
    completed = run(words, {variable: value})
    assert completed.returncode == 1
    [line] = completed.stderr.splitlines()
    assert line.startswith(f"Error: {variable}")


@pytest.mark.parametrize(
    ("program", "variable", "value"),
    [
        ("jiesu up", "DATABASE_URL", "nonsense"),
        ("jiesu up", "JIESU_SEALING_KEYS", "k1:c2hvcnQ="),
        ("jiesu demo", "KAFKA_BOOTSTRAP_SERVERS", "http://x"),
        ("jiesu-intake", "JIESU_SEALING_KEYS", "k1:c2hvcnQ="),
        ("jiesu-triage", "JIESU_LOG_LEVEL", "LOUD"),
        ("jiesu-sla", "JIESU_CLOCK", "garbage"),
        ("jiesu-notify", "JIESU_LOG_LEVL", "INFO"),
    ],
)
def test_unusable_setting_is_named_in_one_line_before_anything_starts(
    run_here: Run, tmp_path: Path, program: str, variable: str, value: str
) -> None:
    [line] = error_lines(run_here, program, tmp_path / "root", {variable: value})
    assert line.startswith(f"Error: {variable}")
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize(
    ("program", "text", "message"),
    [
        ("jiesu up", "id: x\npeopel: []", "did you mean people?"),
        ("jiesu-intake", None, "cannot be read"),
        ("jiesu-triage", "id: x\npeople: [", "is not valid YAML"),
        ("jiesu-sla", "id: x\nsources: [{id: s, procedure: hunan-propert}]", "there is no such procedure"),
        ("jiesu-notify", "id: x\ncalendars: [{id: c}]", "calendar version"),
    ],
)
def test_unusable_organisation_file_is_named_in_one_line(
    run_here: Run, tmp_path: Path, program: str, text: str | None, message: str
) -> None:
    path = tmp_path / "organisation.yaml"
    if text is not None:
        path.write_text(text, "utf-8")
    settings = {"JIESU_ORGANISATION": str(path), "JIESU_SEALING_KEYS": f"k1:{'A' * 43}="}
    [line] = error_lines(run_here, program, tmp_path / "root", settings)
    assert line.startswith(f"Error: {path}:")
    assert message in line


def test_port_in_use_is_named_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        completed = run(["jiesu-triage"], {"JIESU_ORGANISATION": "deploy/demo/organisation.yaml", "JIESU_HTTP_PORT": port})
    assert completed.returncode == 1
    assert completed.stderr.splitlines()[-1].startswith(f"Error: JIESU_HTTP_PORT: port {port} is in use")
    assert "Traceback" not in completed.stderr


@pytest.mark.parametrize("command", ["up", "demo"])
def test_root_that_is_a_file_is_named_in_one_line(run_here: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "root").touch()
    [line] = error_lines(run_here, f"jiesu {command}", tmp_path / "root", {})
    assert line.startswith("Error: --root: ")


def error_lines(run_here: Run, program: str, root: Path, settings: dict[str, str]) -> list[str]:
    """What a program that ends with status 1 writes: `jiesu up` or `demo` with that root, or a service."""
    status, written = run_here([*program.split(), *(["--root", str(root)] if " " in program else [])], settings)
    assert status == 1
    return written.splitlines()


def run(words: list[str], settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a console script of the checkout with settings of its own."""
    program = str(PROJECT / ".venv" / "bin" / words[0])
    environment = {**os.environ, **settings}
    return subprocess.run([program, *words[1:]], env=environment, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60)
