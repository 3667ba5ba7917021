"""What somebody reads who gave the command line a server that cannot be used."""

import os
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
NOBODY = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["migrate"], "Error: DATABASE_URL: PostgreSQL cannot be used (ConnectionRefusedError"),
        (["demo", "--json"], "Error: KAFKA_BOOTSTRAP_SERVERS: no broker answers at 127.0.0.1:1"),
    ],
)
def test_a_server_that_cannot_be_used_is_named_in_one_line(command: list[str], said: str) -> None:
    words = [str(PROJECT / ".venv" / "bin" / "jiesu"), *command]
    answer = subprocess.run(words, env={**os.environ, **NOBODY}, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert answer.stderr.strip().splitlines()[-1].startswith(said)
