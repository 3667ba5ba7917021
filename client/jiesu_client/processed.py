"""Which events a subscriber has processed: the broker may deliver one twice, and the platform may send one again."""

import sqlite3
import time
from pathlib import Path
from typing import Protocol

KEPT_SECONDS = 40 * 86_400
"""Longer than the topics keep events: an event cannot come again after that."""
_TABLE = """
CREATE TABLE IF NOT EXISTS processed (
    id TEXT PRIMARY KEY, case_id TEXT NOT NULL, source TEXT NOT NULL, sequence INTEGER NOT NULL, at REAL NOT NULL) WITHOUT ROWID
"""
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS processed_case ON processed (case_id, source, sequence)",
    "CREATE INDEX IF NOT EXISTS processed_at ON processed (at)",
)
_PRUNE_EVERY = 10_000


class ProcessedEvents(Protocol):
    """The memory of a subscriber. Who stores events in a database of his own writes `add` into the same transaction."""

    async def contains(self, event_id: str) -> bool:
        """Whether the event was processed."""

    async def last_sequence(self, case: str, source: str) -> int:
        """The highest sequence of the case's processed events from this source, 0 without any."""

    async def add(self, event_id: str, case: str, source: str, sequence: int) -> None:
        """Mark the event as processed."""


class ProcessedInFile:
    """The memory in an SQLite file, for one process; `":memory:"` forgets it at the end of the program."""

    def __init__(self, path: Path | str) -> None:
        # Autocommit with a write-ahead log: a mark outlives a kill of the process, which is what may happen between two events.
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        for statement in (_TABLE, *_INDEXES):
            self._database.execute(statement)
        self._added = 0
        self._prune()

    async def contains(self, event_id: str) -> bool:
        """Whether the event was processed."""
        return self._database.execute("SELECT 1 FROM processed WHERE id = ?", [event_id]).fetchone() is not None

    async def last_sequence(self, case: str, source: str) -> int:
        """The highest sequence of the case's processed events from this source, 0 without any."""
        row = self._database.execute("SELECT max(sequence) FROM processed WHERE case_id = ? AND source = ?", [case, source]).fetchone()
        return int(row[0] or 0)

    async def add(self, event_id: str, case: str, source: str, sequence: int) -> None:
        """Mark the event as processed."""
        self._database.execute("INSERT OR IGNORE INTO processed VALUES (?, ?, ?, ?, ?)", [event_id, case, source, sequence, time.time()])
        self._added += 1
        if self._added % _PRUNE_EVERY == 0:
            self._prune()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _prune(self) -> None:
        self._database.execute("DELETE FROM processed WHERE at < ?", [time.time() - KEPT_SECONDS])
