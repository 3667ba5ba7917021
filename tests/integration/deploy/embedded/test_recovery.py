"""The embedded servers stop when their command ends in any way, and the next start has their data."""

import os
import re
import signal
import socket
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.embedded import EmbeddedServers, RootInUseError
from deploy.embedded.process import stop_orphans
from tests.support.servers.databases import asyncpg_dsn
from tests.support.servers.embedded_command import EmbeddedCommand
from tests.support.servers.topics import Topics
from tests.support.waiting import wait_for


async def write_markers(command: EmbeddedCommand) -> None:
    connection = await asyncpg.connect(asyncpg_dsn(command.database_url))
    await connection.execute("CREATE TABLE marker AS SELECT 7 AS value")
    await connection.close()
    await Topics(command.bootstrap_servers).create("markers")
    async with AIOKafkaProducer(bootstrap_servers=command.bootstrap_servers) as producer:
        await producer.send_and_wait("markers", b"seven")


async def read_markers(command: EmbeddedCommand) -> tuple[int, bytes]:
    connection = await asyncpg.connect(asyncpg_dsn(command.database_url))
    value = await connection.fetchval("SELECT value FROM marker")
    await connection.close()
    async with AIOKafkaConsumer(bootstrap_servers=command.bootstrap_servers, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition("markers", 0)])
        record = await consumer.getone()
    return value, record.value


async def test_data_outlive_every_end_of_the_command_and_of_its_servers(tmp_path: Path) -> None:
    """One start for each end: the command killed, killed with frozen servers that outlive it, and all killed at once."""
    root = tmp_path / "a path with spaces 接诉"
    with EmbeddedCommand(root) as first:
        await write_markers(first)
        first.kill()
        await wait_for(lambda: not first.server_pids(), what="the servers' end")
    with EmbeddedCommand(root) as second:
        assert await read_markers(second) == (7, b"seven")
        orphans = second.server_pids()
        for pid in orphans:
            os.kill(pid, signal.SIGSTOP)
        second.kill()
        assert sorted(second.server_pids()) == sorted(orphans)
    with EmbeddedCommand(root) as third:
        assert await read_markers(third) == (7, b"seven")
        assert not set(orphans) & set(third.server_pids())
        server_pids = third.server_pids()
        third.process.send_signal(signal.SIGSTOP)  # so that it cannot stop its servers cleanly
        for pid in server_pids:
            os.kill(pid, signal.SIGKILL)
        third.kill()
    with EmbeddedCommand(root) as fourth:
        assert await read_markers(fourth) == (7, b"seven")


def test_sigterm_ends_the_command_and_its_servers_which_use_neither_a_used_folder_nor_default_ports(tmp_path: Path) -> None:
    with ExitStack() as stack:
        occupy_default_ports(stack)
        command = stack.enter_context(EmbeddedCommand(tmp_path))
        assert command.bootstrap_servers.rpartition(":")[2] not in {"9092", "9093", "5432"}
        expected = rf"^{re.escape(str(tmp_path))} is in use by process {command.process.pid}: wait for it or stop it\.$"
        with pytest.raises(RootInUseError, match=expected):
            EmbeddedServers(tmp_path, lock_timeout=0).start()
        socket_folder = Path(command.database_url.partition("host=")[2])
        assert socket_folder.stat().st_mode & 0o777 == 0o700
        status, progress = command.terminate()
        assert (status, command.server_pids(), socket_folder.exists()) == (0, [], False)
        assert progress.rstrip().endswith("Stopped.")


def occupy_default_ports(stack: ExitStack) -> None:
    for port in (9092, 9093, 5432):
        occupied = stack.enter_context(socket.socket())
        occupied.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if occupied.connect_ex(("127.0.0.1", port)):
            listener = stack.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen()


def test_postgresql_starts_despite_a_stale_pid_file_with_a_reused_process_id(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path, kafka=False) as servers:
        assert servers.postgres
        data = tmp_path / "postgres" / "data"
        pid_file = data / "postmaster.pid"
        stale_lines = pid_file.read_text().splitlines()
        servers.postgres.kill()
        stop_orphans("-D", str(data), stop_signal=signal.SIGINT)
        pid_file.write_text("\n".join([str(os.getppid()), *stale_lines[1:]]))
        servers.postgres.start()
        assert pid_file.read_text().splitlines()[0] == str(servers.postgres.process.pid)


def test_servers_named_in_the_environment_are_used_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "broker.example:9092")
    monkeypatch.setenv("DATABASE_URL", "postgres://someone@db.example/jiesu")
    with EmbeddedServers(tmp_path / "unused") as servers:
        assert (servers.kafka, servers.postgres) == (None, None)
        assert servers.environment == {
            "KAFKA_BOOTSTRAP_SERVERS": "broker.example:9092",
            "DATABASE_URL": "postgresql+asyncpg://someone@db.example/jiesu",
        }
    assert not (tmp_path / "unused").exists()


async def test_discard_topics_deletes_the_topics_of_earlier_runs(tmp_path: Path) -> None:
    # That they stay without it is shown by the test of data that outlive the servers.
    with EmbeddedServers(tmp_path, postgres=False) as servers:
        await Topics(servers.bootstrap_servers).create("old")
    with EmbeddedServers(tmp_path, postgres=False, discard_topics=True) as servers:
        async with AIOKafkaConsumer(bootstrap_servers=servers.bootstrap_servers) as consumer:
            assert "old" not in await consumer.topics()
