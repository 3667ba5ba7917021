"""The inbox: the id of a record is inserted in the transaction of its effect, so that a repeated record has none.

Its partitions are slots, one a day, used in turn; see docs/adr/0043-inbox-by-day.md.
"""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import structlog

from shared.contracts import topics
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.tables import INBOX_SLOTS
from shared.runtime.kafka.record import LOG_APPEND_TIME, RawRecord, ReceivedRecord

RETENTION_DAYS = max(topic.retention_ms for topic in topics.TOPICS.values()) // 86_400_000 + 1
_DAY_MS = 86_400_000
_MIDNIGHT_MS = 600_000
"""Within ten minutes of midnight an id is claimed on both days: two processes may see a timestamp differently after a change of leader."""
# Sorted: two processes that insert the same ids in different order would deadlock.
_CLAIM = """
INSERT INTO inbox (id, topic, slot)
SELECT id, topic, slot FROM unnest($1::uuid[], $2::text[], $3::smallint[]) AS claimed (id, topic, slot) ORDER BY id, topic, slot
ON CONFLICT DO NOTHING RETURNING id, topic, slot
"""
# One index scan a partition for all ids together. New UUIDv7 lie behind the last entry of an earlier day's index: one page is read.
_CLAIMED_ON_OTHER_DAYS = "SELECT id, topic FROM inbox WHERE id = ANY($1::uuid[]) AND slot <> ALL($2::smallint[])"
_TODAY = "SELECT floor(extract(epoch FROM now()) / 86400)::int"
_IS_USED = "SELECT EXISTS (SELECT FROM inbox WHERE slot = $1)"
_Claim = tuple[UUID, str]
log = structlog.get_logger(__name__)


async def claim(tx: Transaction, records: Sequence[ReceivedRecord]) -> list[ReceivedRecord]:
    """The records whose id is new, in order. Ids are unique per topic: a writer of one topic cannot use up ids of another."""
    today = today_utc()
    return await _claim(tx, records, [_slots_of(record.raw, today) for record in records])


async def claim_on_all_days(tx: Transaction, record: ReceivedRecord) -> bool:
    """Whether the id is new; for a record that is applied out of its place, while its sender may send it again on another day."""
    return bool(await _claim(tx, [record], [tuple(range(INBOX_SLOTS))]))


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


def _slots_of(raw: RawRecord, today: int) -> tuple[int, ...]:
    """The slots of the day on which the broker appended the record: the same whenever, and by whichever process, it is read."""
    first, last = (raw.timestamp_ms - _MIDNIGHT_MS) // _DAY_MS, (raw.timestamp_ms + _MIDNIGHT_MS) // _DAY_MS
    if raw.timestamp_type != LOG_APPEND_TIME or not today - RETENTION_DAYS <= first <= last <= today + 1:
        first = last = today  # a sender's timestamp may lie in a slot that is about to be emptied
    return tuple(day % INBOX_SLOTS for day in range(first, last + 1))


async def _claim(tx: Transaction, records: Sequence[ReceivedRecord], slots: Sequence[tuple[int, ...]]) -> list[ReceivedRecord]:
    first: dict[_Claim, tuple[ReceivedRecord, tuple[int, ...]]] = {}
    for record, own_slots in zip(records, slots, strict=True):
        first.setdefault((record.id, record.topic), (record, own_slots))  # the batch may hold the same id twice
    wanted = [(*claimed, slot) for claimed, (_, own_slots) in first.items() for slot in own_slots]
    if not wanted:
        return []
    inserted = {tuple(row) for row in await tx.fetch(_CLAIM, *(list(column) for column in zip(*wanted, strict=True)))}
    new: dict[tuple[int, ...], dict[_Claim, ReceivedRecord]] = defaultdict(dict)
    for claimed, (record, own_slots) in first.items():
        if all((*claimed, slot) in inserted for slot in own_slots):
            new[own_slots][claimed] = record
    # After the insert, which waits for a transaction that inserts the same id: what it committed is seen here.
    for own_slots, by_claim in new.items():
        if len(own_slots) < INBOX_SLOTS:
            for row in await tx.fetch(_CLAIMED_ON_OTHER_DAYS, [record.id for record in by_claim.values()], list(own_slots)):
                by_claim.pop((row["id"], row["topic"]), None)
    accepted = {id(record) for by_claim in new.values() for record in by_claim.values()}
    return [record for record in records if id(record) in accepted]
