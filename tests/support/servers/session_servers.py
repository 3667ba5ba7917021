"""Starts the servers of a test session, with their data in the first free directory var/test, var/test-2, …"""

import sys
from itertools import count

from deploy.embedded import EmbeddedServers, RootInUseError
from tests.support.repository import PROJECT

FAST_POSTGRES_SETTINGS = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off"}
"""Tests kill processes, not machines: data that reached the operating system survives without fsync."""


def start_on_free_root() -> EmbeddedServers:
    """Start the servers in the first test directory that no other session uses."""
    for number in count(1):
        root = PROJECT / "var" / ("test" if number == 1 else f"test-{number}")
        try:
            return EmbeddedServers(
                root, discard_topics=True, progress=print_progress, postgres_settings=FAST_POSTGRES_SETTINGS, lock_timeout=0.5
            ).start()
        except RootInUseError:
            continue
    raise AssertionError("unreachable: directories do not run out")


def print_progress(line: str) -> None:
    """Show progress past pytest's capture."""
    sys.__stderr__ and sys.__stderr__.write(f"{line}\n")
