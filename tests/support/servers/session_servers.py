"""Starts the servers of a test session, with their data in the first free directory <parent>/test, <parent>/test-2, …"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path

from deploy.embedded import EmbeddedServers, RootInUseError
from tests.support.repository import PROJECT
from tests.support.servers.memory import MEMORY, parent_in_memory

FAST_POSTGRES_SETTINGS = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off"}
"""Tests kill processes, not machines: data that reached the operating system survives without fsync."""
_SMALL_LOG = {"max_wal_size": "128MB", "min_wal_size": "32MB"}


@contextmanager
def session_servers() -> Iterator[EmbeddedServers]:
    """The servers for the length of a block, with their data in memory where there is room; then the data go with the block.

    On a disk the 1,700 files of a database took 0.7 s of a core for each test, in memory they take 0.04 s.
    """
    parent = parent_in_memory(PROJECT / "var")
    if parent != MEMORY:
        servers = start_on_free_root()
        yield servers
        servers.stop()
        return
    servers = start_on_free_root(MEMORY / f"jiesu-{sha256(str(PROJECT).encode()).hexdigest()[:8]}", **_SMALL_LOG)
    yield servers
    _delete_data(servers)


def start_on_free_root(parent: Path = PROJECT / "var", **postgres_settings: str) -> EmbeddedServers:
    """Start the servers in the first test directory below `parent` that no other session uses."""
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
