"""Operations on dead letters: list, show, request a replay or a discard, which the owning service carries out."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.runtime.clock import monotonic
from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.retention import ROWS_IN_A_STEP, delete_in_steps
from shared.runtime.dead_letters.parking import RECORD_COLUMNS, record_from_row
from shared.runtime.kafka.record import RawRecord

OPEN, REPLAY, DISCARD, REPLAYED, DISCARDED = "open", "replay", "discard", "replayed", "discarded"
_COLUMNS = f"id, {RECORD_COLUMNS}, reason, status, attempts, created_at, settled_at"
_POLL_SECONDS = 0.1
# SKIP LOCKED: several processes of a service delete at the same time.
_DELETE_SETTLED = """
DELETE FROM dead_letter WHERE id IN (
    SELECT id FROM dead_letter WHERE settled_at < now() - $1::interval ORDER BY settled_at LIMIT $2 FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter with its record; `waiting` counts the records of its case that wait behind it."""

    id: int
    record: RawRecord
    reason: str
    status: str
    attempts: int
    created_at: datetime
    settled_at: datetime | None
    waiting: int

    def summary(self) -> dict[str, Any]:
        """The letter for a list, without headers and body."""
        return {
            "id": self.id,
            "topic": self.record.topic,
            "partition": self.record.partition,
            "offset": self.record.offset,
            "key": self.record.key,
            "status": self.status,
            "attempts": self.attempts,
            "waiting": self.waiting,
            "created_at": self.created_at.isoformat(),
            "reason": self.reason,
        }


def _letter(row: Mapping[str, Any]) -> DeadLetter:
    names = ("reason", "status", "attempts", "created_at", "settled_at", "waiting")
    return DeadLetter(row["id"], record_from_row(row), **{name: row[name] for name in names})


_SELECT = f"""
SELECT {_COLUMNS}, (
    SELECT count(*) FROM parked JOIN waiting ON waiting.key = parked.key WHERE parked.dead_letter_id = dead_letter.id) AS waiting
FROM dead_letter
"""  # noqa: S608 - constants


async def list_dead_letters(tx: Transaction, *, settled: bool = False, limit: int = 100) -> list[DeadLetter]:
    """The oldest letters that are not settled, first those that park a case; with `settled` the newest of all letters."""
    # A hundred bad records of one sender hid the letter behind which a deadline waited.
    order = "EXISTS (SELECT FROM parked WHERE parked.dead_letter_id = dead_letter.id) DESC, id"
    where = "ORDER BY id DESC LIMIT $1" if settled else f"WHERE status <> ALL('{{{REPLAYED},{DISCARDED}}}') ORDER BY {order} LIMIT $1"
    return [_letter(row) for row in await tx.fetch(f"{_SELECT} {where}", limit)]


async def find_dead_letter(tx: Transaction, letter_id: int) -> DeadLetter | None:
    """One letter with its record, or None."""
    row = await tx.fetchrow(f"{_SELECT} WHERE id = $1", letter_id)
    return None if row is None else _letter(row)


async def request_settlement(tx: Transaction, letter_id: int, status: str = REPLAY) -> bool:
    """Request a replay or a discard of the letter; False if it is settled or absent."""
    tag = await tx.execute("UPDATE dead_letter SET status = $2 WHERE id = $1 AND settled_at IS NULL", letter_id, status)
    return tag == "UPDATE 1"


async def wait_until_settled(database: Database, letter_id: int, timeout_seconds: float) -> DeadLetter | None:
    """The letter after its service has carried out the request, or as it is after `timeout_seconds`: the service may not be running."""
    deadline = monotonic() + timeout_seconds
    while True:
        async with database.transaction() as tx:
            letter = await find_dead_letter(tx, letter_id)
        if letter is None or letter.status not in {REPLAY, DISCARD} or monotonic() > deadline:
            return letter
        await asyncio.sleep(_POLL_SECONDS)


async def delete_settled(database: Database, retention: timedelta) -> int:
    """Delete letters that were settled longer ago than the retention; open ones stay, since they may park a case."""

    async def delete_step(tx: Transaction) -> int:
        return int((await tx.execute(_DELETE_SETTLED, retention, ROWS_IN_A_STEP)).split()[-1])

    return await delete_in_steps(database, delete_step)
