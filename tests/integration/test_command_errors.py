"""Commands report an unusable server in one line; shown for several commands of the command line."""

import os
import subprocess

import pytest

from tests.support.repository import PROJECT

UNUSABLE = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        (["migrate"], 1, "Error: DATABASE_URL: PostgreSQL cannot be used (ConnectionRefusedError"),
        (["demo", "--json"], 1, "Error: KAFKA_BOOTSTRAP_SERVERS: no broker answers at 127.0.0.1:1"),
        (["ledger", "verify"], 2, "the database of sla cannot be used (ConnectionRefusedError"),
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
