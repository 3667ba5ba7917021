"""Commands report an unusable server in one line; shown for several commands of the command line."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.repository import PROJECT

UNUSABLE = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "JIESU_ORGANISATION": str(PROJECT / "deploy" / "demo" / "organisation.yaml"),
}


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
def test_unusable_server_is_named_in_one_line(command: list[str], status: int, message: str) -> None:
    words = [str(PROJECT / ".venv" / "bin" / "jiesu"), *command]
    completed = subprocess.run(words, env={**os.environ, **UNUSABLE}, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60)
    assert completed.returncode == status
    assert "Traceback" not in completed.stderr
    assert completed.stderr.strip().splitlines()[-1].startswith(message)


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
def test_unusable_setting_is_named_in_one_line_before_anything_starts(tmp_path: Path, program: str, variable: str, value: str) -> None:
    completed = run([*program.split(), *(["--root", str(tmp_path / "root")] if " " in program else [])], {variable: value})
    assert completed.returncode == 1
    [line] = completed.stderr.splitlines()
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
def test_unusable_organisation_file_is_named_in_one_line(tmp_path: Path, program: str, text: str | None, message: str) -> None:
    path = tmp_path / "organisation.yaml"
    if text is not None:
        path.write_text(text, "utf-8")
    settings = {"JIESU_ORGANISATION": str(path), "JIESU_SEALING_KEYS": f"k1:{'A' * 43}="}
    completed = run([*program.split(), *(["--root", str(tmp_path / "root")] if " " in program else [])], settings)
    assert completed.returncode == 1
    [line] = completed.stderr.splitlines()
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
def test_root_that_is_a_file_is_named_in_one_line(tmp_path: Path, command: str) -> None:
    (tmp_path / "root").touch()
    completed = run(["jiesu", command, "--root", str(tmp_path / "root")], {})
    assert completed.returncode == 1
    assert (completed.stdout + completed.stderr).strip().startswith("Error: --root: ")


def run(words: list[str], settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a console script of the checkout with settings of its own."""
    program = str(PROJECT / ".venv" / "bin" / words[0])
    environment = {**os.environ, **settings}
    return subprocess.run([program, *words[1:]], env=environment, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60)
