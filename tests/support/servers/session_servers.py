"""Starts the servers of a test session, with their data in memory where there is room."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path

from deploy.embedded import EmbeddedServers, RootInUseError
from tests.support.repository import PROJECT

MEMORY = Path("/dev/shm")
_FREE_BYTES = 2 * 2**30
FAST_POSTGRES_SETTINGS = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off"}
"""Tests kill processes, not machines: data that reached the operating system survives without fsync."""
_SMALL_LOG = {"max_wal_size": "128MB", "min_wal_size": "32MB"}


@contextmanager
def session_servers() -> Iterator[EmbeddedServers]:
    """The servers for the length of a block; data in memory are deleted at its end.

    On a disk the 1,700 files of a database took 0.7 s of a core for each test, in memory they take 0.04 s.
    """
    if not _memory_has_room():
        servers = start_on_free_root()
        yield servers
        servers.stop()
        return
    servers = start_on_free_root(MEMORY / f"jiesu-{sha256(str(PROJECT).encode()).hexdigest()[:8]}", **_SMALL_LOG)
    yield servers
    _delete_data(servers)


def start_on_free_root(parent: Path = PROJECT / "var", **postgres_settings: str) -> EmbeddedServers:
    """Start the servers in the first directory test, test-2, … below `parent` that no other session uses."""
    for number in count(1):
        root = parent / ("test" if number == 1 else f"test-{number}")
        try:
            return EmbeddedServers(
                root,
                discard_topics=True,
                progress=print_progress,
                postgres_settings=FAST_POSTGRES_SETTINGS | postgres_settings,
                lock_timeout=0.5,
            ).start()
        except RootInUseError:
            continue
    raise AssertionError("unreachable: directories do not run out")


@contextmanager
def temporary_folder(otherwise: Path) -> Iterator[Path]:
    """A folder for the length of a block: in memory where there is room, else below `otherwise`."""
    parent = MEMORY if _memory_has_room() else otherwise
    with tempfile.TemporaryDirectory(prefix="jiesu-test-", dir=parent, ignore_cleanup_errors=True) as name:
        yield Path(name)


def print_progress(line: str) -> None:
    """Show progress past pytest's capture."""
    sys.__stderr__ and sys.__stderr__.write(f"{line}\n")


def _delete_data(servers: EmbeddedServers) -> None:
    """Stop the servers and delete all but their logs, under the lock of their directory: another session may wait for it."""
    for server in (servers.kafka, servers.postgres):
        if server is not None:
            server.stop()
    for folder in [*servers.root.glob("*/data"), *servers.root.glob("*/tmp")]:
        shutil.rmtree(folder, ignore_errors=True)
    servers.stop()


def _memory_has_room() -> bool:
    """Whether /dev/shm can hold the data of a session: a container may have 64 MB of it, or a machine little memory."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
        return shutil.disk_usage(MEMORY).free > _FREE_BYTES and available > 2 * _FREE_BYTES
    except OSError:  # not Linux
        return False
