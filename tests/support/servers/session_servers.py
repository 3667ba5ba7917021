"""The servers that tests run on: one instance a session, its data under var/, a second one where the first is taken."""

import sys
from itertools import count

from deploy.embedded import EmbeddedServers, RootInUseError
from tests.support.repository import PROJECT

FAST_POSTGRES_SETTINGS = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off"}
"""Tests kill processes, not machines: what reached the operating system survives."""


def start_on_free_root() -> EmbeddedServers:
    """Start the servers of the first test directory that no other session has."""
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
