"""Webhooks that are to be sent, in an SQLite file: each event once, the events of a case one after the other."""

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

_TABLE = """
CREATE TABLE IF NOT EXISTS webhook (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, case_id TEXT NOT NULL, type TEXT NOT NULL, body BLOB,
    state TEXT NOT NULL DEFAULT 'waiting', attempts INTEGER NOT NULL DEFAULT 0, due_at REAL NOT NULL, stored_at REAL NOT NULL,
    reason TEXT NOT NULL DEFAULT '')
"""
_INDEX = "CREATE INDEX IF NOT EXISTS webhook_waiting ON webhook (case_id, number) WHERE state = 'waiting'"
# The first waiting one of each case alone: a later event must not overtake one that is tried again.
_DUE = """
SELECT number, id, case_id, type, body, attempts, stored_at FROM webhook
 WHERE number IN (SELECT min(number) FROM webhook WHERE state = 'waiting' GROUP BY case_id) AND due_at <= ? ORDER BY number LIMIT ?
"""
_KEPT_SECONDS = 40 * 86_400
"""For sent ones, whose ids tell repeated events: longer than the topics keep events."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """An event that is to be sent, after `attempts` attempts."""

    number: int
    id: str
    case: str
    type: str
    body: bytes
    attempts: int
    stored_at: float


@dataclass(frozen=True, slots=True)
class UndeliveredWebhook:
    """An event that its receiver did not take within the patience; `reason` is the last status or error."""

    id: str
    case: str
    type: str
    attempts: int
    reason: str


class WebhookStore:
    """The webhooks of one receiver."""

    def __init__(self, path: Path | str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        # FULL: an offset is committed at the broker once a webhook is stored here.
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute(_TABLE)
        self._database.execute(_INDEX)

    def add(self, event_id: str, case: str, kind: str, body: bytes) -> None:
        """Store an event; a repeated one is passed over."""
        now = time.time()
        values = [event_id, case, kind, body, now, now]
        self._database.execute(
            "INSERT OR IGNORE INTO webhook (id, case_id, type, body, due_at, stored_at) VALUES (?, ?, ?, ?, ?, ?)", values
        )

    def contains(self, event_id: str) -> bool:
        """Whether the event was stored."""
        return self._database.execute("SELECT 1 FROM webhook WHERE id = ?", [event_id]).fetchone() is not None

    def due(self, limit: int) -> list[Webhook]:
        """The webhooks to send now: of each case the first."""
        return [Webhook(*row) for row in self._database.execute(_DUE, [time.time(), limit])]

    def set_sent(self, number: int) -> None:
        """The receiver has it; its body is no longer needed."""
        self._database.execute("UPDATE webhook SET state = 'sent', body = NULL, attempts = attempts + 1 WHERE number = ?", [number])

    def set_failed(self, number: int, due_at: float, reason: str) -> None:
        """It is to be tried again at an instant."""
        statement = "UPDATE webhook SET due_at = ?, reason = ?, attempts = attempts + 1 WHERE number = ?"
        self._database.execute(statement, [due_at, reason, number])

    def set_dead(self, number: int, reason: str) -> None:
        """It is not tried again by itself; later events of its case are sent."""
        statement = "UPDATE webhook SET state = 'dead', reason = ?, attempts = attempts + 1 WHERE number = ?"
        self._database.execute(statement, [reason, number])

    def dead_letters(self) -> list[UndeliveredWebhook]:
        """Events that the receiver did not take, the oldest first."""
        rows = self._database.execute("SELECT id, case_id, type, attempts, reason FROM webhook WHERE state = 'dead' ORDER BY number")
        return [UndeliveredWebhook(*row) for row in rows]

    def retry(self, event_id: str) -> bool:
        """Have a dead letter sent again; False if there is none of this id."""
        statement = "UPDATE webhook SET state = 'waiting', attempts = 0, due_at = ?, stored_at = ? WHERE id = ? AND state = 'dead'"
        return self._database.execute(statement, [time.time(), time.time(), event_id]).rowcount == 1

    def prune(self) -> None:
        """Forget what was sent so long ago that its event cannot come again."""
        self._database.execute("DELETE FROM webhook WHERE state = 'sent' AND stored_at < ?", [time.time() - _KEPT_SECONDS])

    def close(self) -> None:
        """Close the file."""
        self._database.close()
