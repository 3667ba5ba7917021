"""The addresses of a running stack: who may read them, when they are stale, and which command takes its settings from them."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click import ClickException
from typer.testing import CliRunner

from cli.commands.operations import env, status
from cli.main import app
from cli.stack.addresses import (
    ADDRESSES_FILE,
    Addresses,
    StaleAddressesError,
    claimed,
    read_addresses,
    read_settings,
    without_password,
    write_addresses,
    write_settings,
)
from cli.stack.running_stack_settings import use_running_stack

FOUND = Addresses(
    started_at=datetime(2026, 11, 28, tzinfo=UTC),
    broker="127.0.0.1:19092",
    database="postgresql://jiesu@/postgres?host=/tmp/x",
    services={"sla": "http://127.0.0.1:18103"},
    sinks={"smtp": "127.0.0.1:18125"},
    logs=Path("var/up/logs"),
)
SETTINGS = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:19092",
    "DATABASE_URL": "postgresql+asyncpg://jiesu@/postgres?host=/tmp/x",
    "JIESU_TOPIC_PREFIX": "it's ",
}


@pytest.fixture(autouse=True)
def no_servers_are_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "JIESU_TOPIC_PREFIX"):
        # Set and removed, so that what a test sets is undone.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_addresses_are_there_while_the_stack_runs_and_private(tmp_path: Path) -> None:
    assert read_addresses(tmp_path) is None
    with claimed(tmp_path):
        write_addresses(tmp_path, FOUND)
        write_settings(tmp_path, SETTINGS)
        assert read_addresses(tmp_path) == FOUND
        assert read_settings(tmp_path) == SETTINGS
        assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("*.json")} == {0o600}
    assert list(tmp_path.glob("*.json")) == []


def test_second_stack_in_a_folder_is_refused_and_leaves_the_first_ones_files(tmp_path: Path) -> None:
    with claimed(tmp_path):
        write_addresses(tmp_path, FOUND)
        refused = pytest.raises(ClickException, match=rf"`jiesu up` \(process {os.getpid()}\) already runs in .*: stop it, or give")
        with refused as refusal, claimed(tmp_path):
            raise AssertionError("the folder was claimed twice")
        assert "\n" not in refusal.value.message
        assert read_addresses(tmp_path) == FOUND


def test_addresses_of_a_killed_stack_are_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_addresses(tmp_path, FOUND)
    with pytest.raises(StaleAddressesError, match=r"addresses.json is stale, its `jiesu up` has ended: start `jiesu up` again, or set"):
        read_addresses(tmp_path)
    assert not use_running_stack(tmp_path)
    assert capsys.readouterr().err.startswith("Note: ")
    assert "DATABASE_URL" not in os.environ


def test_foreign_file_is_refused_in_one_line(tmp_path: Path) -> None:
    with claimed(tmp_path):
        (tmp_path / ADDRESSES_FILE).write_text("{}")
        with pytest.raises(ClickException, match="is not one that `jiesu up` wrote"):
            read_addresses(tmp_path)


def test_command_without_servers_uses_those_of_the_running_stack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with claimed(tmp_path):
        write_addresses(tmp_path, FOUND)
        write_settings(tmp_path, SETTINGS)
        assert use_running_stack(tmp_path)
        assert {name: os.environ[name] for name in SETTINGS} == SETTINGS
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith(f"using the stack of `jiesu up` in {tmp_path}")
        # Now they are set, to the same servers.
        assert use_running_stack(tmp_path)
        assert capsys.readouterr().err == ""


def test_servers_that_are_set_are_not_mixed_with_the_stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    with claimed(tmp_path):
        write_addresses(tmp_path, FOUND)
        write_settings(tmp_path, SETTINGS)
        assert not use_running_stack(tmp_path)
        assert "DATABASE_URL" not in os.environ


def test_only_commands_that_use_servers_look_for_a_stack(tmp_path: Path) -> None:
    root = tmp_path / "var" / "up"
    root.mkdir(parents=True)
    write_addresses(root, FOUND)
    note = "Note: var/up/addresses.json is stale"
    assert note in CliRunner().invoke(app, ["dead-letters", "show", "nonsense"]).stderr
    assert note not in CliRunner().invoke(app, ["dead-letters", "--help"]).stderr
    assert note not in CliRunner().invoke(app, ["procedure", "check", "hunan-property"]).stderr


def test_env_prints_what_a_shell_can_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ClickException, match="no `jiesu up` runs in"):
        env.env(tmp_path)
    with claimed(tmp_path):
        write_addresses(tmp_path, FOUND)
        write_settings(tmp_path, SETTINGS)
        env.env(tmp_path)
    assert capsys.readouterr().out.splitlines()[1] == """export JIESU_TOPIC_PREFIX='it'"'"'s '"""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+asyncpg://jiesu:geheim@db:5432/x?ssl=require", "postgresql://jiesu@db:5432/x?ssl=require"),
        ("postgresql+asyncpg://jiesu@/postgres?host=/tmp/x", "postgresql://jiesu@/postgres?host=/tmp/x"),
        ("postgresql://db/x", "postgresql://db/x"),
    ],
)
def test_shown_database_url_has_no_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_own_servers_of_the_stack_may_be_set_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://jiesu@/postgres?host=/tmp/x")
    with claimed(tmp_path):
        write_addresses(tmp_path, FOUND)
        write_settings(tmp_path, SETTINGS)
        assert use_running_stack(tmp_path) == FOUND
        assert os.environ["JIESU_TOPIC_PREFIX"] == SETTINGS["JIESU_TOPIC_PREFIX"]


def test_status_without_any_stack_and_beside_a_killed_one_ends_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ClickException, match=r"no `jiesu up` runs in .*: start it, name its folder"):
        status.status(tmp_path)
    write_addresses(tmp_path, FOUND)
    with pytest.raises(StaleAddressesError):
        status.status(tmp_path)
