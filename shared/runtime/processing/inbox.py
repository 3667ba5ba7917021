"""The inbox: the id of a record is inserted in the transaction of its effect, so that a repeated record has none.

Its partitions are slots, one a day, used in turn; see docs/adr/0043-inbox-by-day.md.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg
import structlog

from shared.contracts import topics
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.tables import INBOX_SLOTS
from shared.runtime.kafka.record import LOG_APPEND_TIME, ReceivedRecord

RETENTION_DAYS = max(topic.retention_ms for topic in topics.TOPICS.values()) // 86_400_000 + 1
_DAY_MS = 86_400_000
_TOLERANCE_MS = 600_000
"""By how much clocks may differ: of two processes after a change of leader, or of a sender and the broker."""
_ALL_SLOTS = tuple(range(INBOX_SLOTS))
_UUID_WITH_TIME = 7
# Sorted: two processes that insert the same ids in different order would deadlock.
_CLAIM = """
INSERT INTO inbox (id, topic, slot)
SELECT id, topic, slot FROM unnest($1::uuid[], $2::text[], $3::smallint[]) AS claimed (id, topic, slot) ORDER BY id, topic, slot
ON CONFLICT DO NOTHING RETURNING id, topic, slot
"""
_CLAIMED_IN_SLOTS = "SELECT id, topic FROM claimed_in_slots($1, $2)"
_TODAY = "SELECT floor(extract(epoch FROM now()) / 86400)::int"
_IS_USED = "SELECT EXISTS (SELECT FROM inbox WHERE slot = $1)"
_Claim = tuple[UUID, str]
log = structlog.get_logger(__name__)


async def claim(tx: Transaction, records: Sequence[ReceivedRecord]) -> list[ReceivedRecord]:
    """The records whose id is new, in order. Ids are unique per topic: a writer of one topic cannot use up ids of another."""
    today = today_utc()
    return await _claim(tx, [(record, _place(record, today)) for record in records])


async def claim_on_all_days(tx: Transaction, record: ReceivedRecord) -> bool:
    """Whether the id is new; for a record that is applied out of its place, while its sender may send it again on another day."""
    return bool(await _claim(tx, [(record, _Place(_ALL_SLOTS, ()))]))


async def prune(database: Database) -> int:
    """Empty the slots of days that are past the retention; returns how many were in use.

    TRUNCATE gives the disk space back at once, as dropping a partition does, without the right to create tables.
    """
    async with database.transaction() as tx:
        today = int(await tx.fetchval(_TODAY))
    kept = {day % INBOX_SLOTS for day in range(today - RETENTION_DAYS, today + 2)}
    emptied = 0
    for slot in sorted(set(range(INBOX_SLOTS)) - kept):
        try:
            emptied += await _empty_slot(database, slot)
        except asyncpg.LockNotAvailableError:
            log.warning("an old part of the inbox is in use; it is emptied an hour later", slot=slot)
    return emptied


async def _empty_slot(database: Database, slot: int) -> bool:
    async with database.transaction() as tx:
        if not await tx.fetchval(_IS_USED, slot):
            return False
        # Every batch has locks on all slots, and later ones would queue behind this statement while it waits.
        await tx.execute("SET LOCAL lock_timeout = '1s'")
        await tx.execute(f"TRUNCATE inbox_{slot:02}")
    return True


def today_utc() -> int:
    """The number of the present day since 1970 in UTC."""
    return int(Clock().real_now().timestamp() * 1000) // _DAY_MS


class _Place(NamedTuple):
    """The slots in which an id is claimed, and the others in which an earlier record with this id may have claimed it."""

    own: tuple[int, ...]
    others: tuple[int, ...]


def _place(record: ReceivedRecord, today: int) -> _Place:
    """The id is claimed on the day on which the broker appended the record: the same whenever, and by whichever process, it is read.

    Near midnight that is two days, so that processes that see a timestamp differently meet in one of them.
    """
    appended = record.raw.timestamp_ms
    first, last = (appended - _TOLERANCE_MS) // _DAY_MS, (appended + _TOLERANCE_MS) // _DAY_MS
    if record.raw.timestamp_type != LOG_APPEND_TIME or not today - RETENTION_DAYS <= first <= last <= today + 1:
        first = last = today  # a sender's timestamp may name a day that is about to be emptied
    own = _slots(first, last)
    if record.id.version != _UUID_WITH_TIME:
        return _Place(own, tuple(slot for slot in _ALL_SLOTS if slot not in own))
    # A UUIDv7 cannot have been claimed before the day on which it was made, so nearly all need no look at another day.
    made = ((record.id.int >> 80) - _TOLERANCE_MS) // _DAY_MS
    if made > last:  # made by a clock that is ahead: claimed on the day from which a later record with this id begins to look
        return _Place((*own, made % INBOX_SLOTS) if made <= today + 1 else _ALL_SLOTS, ())
    latest = last if last >= today else today + 1  # a record that is read late may have been sent again since
    return _Place(own, tuple(slot for slot in _slots(max(made, last - INBOX_SLOTS + 1), latest) if slot not in own))


def _slots(first_day: int, last_day: int) -> tuple[int, ...]:
    return tuple(day % INBOX_SLOTS for day in range(first_day, last_day + 1))


async def _claim(tx: Transaction, placed: Sequence[tuple[ReceivedRecord, _Place]]) -> list[ReceivedRecord]:
    first: dict[_Claim, tuple[ReceivedRecord, _Place]] = {}
    for record, place in placed:
        first.setdefault((record.id, record.topic), (record, place))  # the batch may hold the same id twice
    wanted = [(*claimed, slot) for claimed, (_, place) in first.items() for slot in place.own]
    if not wanted:
        return []
    inserted = {tuple(row) for row in await tx.fetch(_CLAIM, *(list(column) for column in zip(*wanted, strict=True)))}
    new = {claimed for claimed, (_, place) in first.items() if all((*claimed, slot) in inserted for slot in place.own)}
    ids_by_slots: dict[tuple[int, ...], list[UUID]] = defaultdict(list)
    for claimed in new:
        if others := first[claimed][1].others:
            ids_by_slots[others].append(claimed[0])
    # After the insert, which waits for a transaction that inserts the same id: what it committed is seen here.
    for slots, ids in ids_by_slots.items():
        new.difference_update((row["id"], row["topic"]) for row in await tx.fetch(_CLAIMED_IN_SLOTS, ids, slots))
    return [record for claimed, (record, _) in first.items() if claimed in new]
