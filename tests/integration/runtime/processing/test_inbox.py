"""A repeated id is recognised on any day of the retention, and old days are emptied."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from shared.runtime.clock import uuid7
from shared.runtime.database.database import Database
from shared.runtime.database.tables import INBOX_SLOTS
from shared.runtime.database.transaction import Transaction
from shared.runtime.kafka.record import LOG_APPEND_TIME, RawRecord, ReceivedRecord
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.processing import inbox
from tests.support.waiting import wait_for

DAY_MS = 86_400_000
NOON_MS = inbox.today_utc() * DAY_MS + DAY_MS // 2
MIDNIGHT_MS = inbox.today_utc() * DAY_MS
RECEIVED = datetime(2026, 11, 1, tzinfo=UTC)
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
async def database(settings: RuntimeSettings) -> AsyncIterator[Database]:
    database = Database(settings, "probe")
    yield database
    await database.close()


def uuid_made_at(instant_ms: int) -> UUID:
    """A UUIDv7 of this instant."""
    return UUID(int=instant_ms << 80 | 7 << 76 | 2 << 62 | uuid4().int & 0xFFFFFFFF)


def record(
    event_id: UUID, timestamp_ms: int = NOON_MS, timestamp_type: int = LOG_APPEND_TIME, topic: str = "case-actions"
) -> ReceivedRecord:
    raw = RawRecord(
        topic=topic,
        partition=0,
        offset=0,
        timestamp_ms=timestamp_ms,
        timestamp_type=timestamp_type,
        key="case",
        raw_key=b"case",
        body=b"{}",
        headers=(),
    )
    return ReceivedRecord(
        raw=raw,
        id=event_id,
        type="t",
        at=RECEIVED,
        recorded_at=RECEIVED,
        headers={},
        event=None,
        source="s",
        sequence=None,
        traceparent=None,
    )


async def claimed(database: Database, *records: ReceivedRecord) -> list[ReceivedRecord]:
    async with database.transaction() as tx:
        return await inbox.claim(tx, records)


@asynccontextmanager
async def claiming(database: Database, event: ReceivedRecord) -> AsyncIterator[Transaction]:
    """A transaction that has claimed the id and is still open."""
    async with database.transaction() as tx:
        assert await inbox.claim(tx, [event]) == [event]
        yield tx


async def is_blocked(database: Database) -> bool:
    async with database.transaction() as tx:
        return bool(await tx.fetchval(BLOCKED))


@pytest.mark.parametrize("days", [0, 1, 30])
@pytest.mark.parametrize("made_before_ms", [None, 0, 3 * DAY_MS, 90 * DAY_MS, -DAY_MS, -2 * DAY_MS, -90 * DAY_MS])
async def test_a_resend_is_recognised_on_a_later_day_of_the_retention(database: Database, days: int, made_before_ms: int | None) -> None:
    """Whatever the id: random, or a UUIDv7 from before the record, or from a clock that is ahead."""
    sent_ms = NOON_MS - days * DAY_MS
    event_id = uuid4() if made_before_ms is None else uuid_made_at(sent_ms - made_before_ms)
    first, again = record(event_id, sent_ms), record(event_id)
    assert await claimed(database, first) == [first]
    assert await claimed(database, again) == []
    assert await claimed(database, again, record(event_id, NOON_MS - DAY_MS)) == []


async def test_an_older_record_is_recognised_after_its_resend(database: Database) -> None:
    """The older one was a dead letter without a claim, and is read again after the offsets were set back."""
    event_id = uuid_made_at(NOON_MS - 5 * DAY_MS)
    await claimed(database, record(event_id, NOON_MS - 2 * DAY_MS))
    assert await claimed(database, record(event_id, NOON_MS - 5 * DAY_MS)) == []


def test_an_id_with_time_needs_no_look_at_another_day() -> None:
    today = NOON_MS // DAY_MS  # not the present one: the day may end between the import and the test
    assert inbox._place(record(uuid_made_at(NOON_MS - 1000)), today).others == ()
    assert len(inbox._place(record(uuid_made_at(NOON_MS - DAY_MS)), today).others) == 1
    assert len(inbox._place(record(uuid4()), today).others) == INBOX_SLOTS - 1


async def test_one_batch_may_hold_an_id_twice_on_two_days_and_other_ids_on_others(database: Database) -> None:
    event_id, other = uuid4(), record(uuid4(), NOON_MS - 3 * DAY_MS)
    first, again = record(event_id, NOON_MS - DAY_MS), record(event_id)
    assert await claimed(database, first, other, again) == [first, other]
    foreign = record(event_id, topic="triage-events")
    assert await claimed(database, again, foreign, other) == [foreign]


async def test_two_processes_around_midnight_apply_a_record_once(database: Database) -> None:
    """After a rebalance the new owner reads what the old one is still handling, and may see the timestamp a little later."""
    event_id = UUID(uuid7())
    async with claiming(database, record(event_id, MIDNIGHT_MS - 1)):
        second = asyncio.create_task(claimed(database, record(event_id, MIDNIGHT_MS + 1)))
        await wait_for(lambda: is_blocked(database), what="the second claim waits")
    assert await second == []


async def test_a_replayed_letter_and_a_resend_on_another_day_are_applied_once(database: Database) -> None:
    event_id = uuid4()
    async with database.transaction() as tx:
        assert await inbox.claim_on_all_days(tx, record(event_id, NOON_MS - 20 * DAY_MS))
        resend = asyncio.create_task(claimed(database, record(event_id)))
        await wait_for(lambda: is_blocked(database), what="the resend waits")
    assert await resend == []
    other = record(uuid4())
    assert await claimed(database, other) == [other]
    async with database.transaction() as tx:
        assert not await inbox.claim_on_all_days(tx, other)


async def test_a_rolled_back_claim_leaves_the_id_new(database: Database) -> None:
    event = record(uuid4())

    async def fail() -> None:
        async with claiming(database, event):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await claimed(database, event) == [event]


@pytest.mark.parametrize(("timestamp_ms", "timestamp_type"), [(0, LOG_APPEND_TIME), (0, 0), (NOON_MS + 400 * DAY_MS, 0)])
async def test_a_timestamp_that_cannot_be_trusted_counts_as_today(database: Database, timestamp_ms: int, timestamp_type: int) -> None:
    event_id = uuid4()
    await claimed(database, record(event_id, timestamp_ms, timestamp_type))
    assert await slots_in_use(database) == [inbox.today_utc() % INBOX_SLOTS]
    assert await claimed(database, record(event_id)) == []


async def test_days_past_the_retention_are_emptied_and_no_other(database: Database) -> None:
    today = inbox.today_utc()
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO inbox SELECT gen_random_uuid(), 't', slot FROM generate_series(0, $1::int - 1) AS slot", INBOX_SLOTS)
    assert await inbox.prune(database) == INBOX_SLOTS - inbox.RETENTION_DAYS - 2
    kept = sorted(day % INBOX_SLOTS for day in range(today - inbox.RETENTION_DAYS, today + 2))
    assert await slots_in_use(database) == kept
    assert await inbox.prune(database) == 0


async def test_a_day_in_use_is_emptied_another_time(database: Database) -> None:
    old = (inbox.today_utc() + 3) % INBOX_SLOTS
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO inbox VALUES ($1, 't', $2)", uuid4(), old)
    async with database.transaction() as reader:
        await reader.fetch("SELECT id FROM inbox")
        assert await inbox.prune(database) == 0
    assert await inbox.prune(database) == 1


async def slots_in_use(database: Database) -> list[int]:
    async with database.transaction() as tx:
        return [row["slot"] for row in await tx.fetch("SELECT DISTINCT slot FROM inbox ORDER BY slot")]
