"""Jobs of a work queue are leased, run without a transaction and settled; another process takes over expired leases."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.migrate import migrate
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.timers.work_queue import LeasedWorkQueue
from tests.support.waiting import wait_for

CLAIM = """
UPDATE job SET lease = $3, attempts = attempts + 1 WHERE id IN (
    SELECT id FROM job WHERE NOT done AND next <= $2 AND (lease IS NULL OR lease <= $2) ORDER BY next LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


@pytest.fixture
async def database(settings: RuntimeSettings) -> Database:
    opened = Database(settings, "probe")
    await migrate(opened, "tests.integration.runtime.migrations")
    async with opened.transaction() as tx:
        await tx.execute(
            "CREATE TABLE job (id int PRIMARY KEY, next timestamptz NOT NULL DEFAULT now() - interval '1 s', lease timestamptz, "
            "attempts int NOT NULL DEFAULT 0, done bool NOT NULL DEFAULT false)"
        )
        await tx.execute("INSERT INTO job SELECT generate_series(1, 100)")
    return opened


async def claim(tx: Transaction, limit: int, now: datetime, until: datetime) -> Sequence[int]:
    return [row["id"] for row in await tx.fetch(CLAIM, limit, now, until)]


async def settle(tx: Transaction, done: Sequence[tuple[int, bool]]) -> None:
    await tx.execute("UPDATE job SET done = true, lease = NULL WHERE id = ANY($1::int[])", [job for job, good in done if good])
    await tx.execute(
        "UPDATE job SET next = now() + interval '50 ms', lease = NULL WHERE id = ANY($1::int[])", [job for job, good in done if not good]
    )


async def count_unfinished(database: Database) -> int:
    async with database.transaction() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM job WHERE NOT done"))


async def test_two_queues_share_the_jobs_and_run_none_twice(database: Database) -> None:
    worked: list[int] = []

    async def work(job: int) -> bool:
        worked.append(job)
        assert database.engine.pool.checkedout() <= 2  # type: ignore[attr-defined]
        await asyncio.sleep(0)
        return worked.count(job) > job % 3  # some fail at first

    stop = asyncio.Event()
    queues = [LeasedWorkQueue(database, claim=claim, work=work, settle=settle, poll_seconds=0.02) for _ in range(2)]
    tasks = [asyncio.create_task(queue.run(stop)) for queue in queues]

    async def finished() -> bool:
        return await count_unfinished(database) == 0

    await wait_for(finished)
    stop.set()
    await asyncio.gather(*tasks)
    assert all(worked.count(job) == job % 3 + 1 for job in range(1, 101))
    await database.close()


async def test_no_transaction_is_open_while_a_job_runs(database: Database) -> None:
    busy: list[int] = []

    async def work(_: int) -> bool:
        busy.append(database.engine.pool.checkedout())  # type: ignore[attr-defined]
        return True

    assert await LeasedWorkQueue(database, claim=claim, work=work, settle=settle).run_once() == 20
    assert busy == [0] * 20
    await database.close()


async def test_jobs_of_a_dead_process_are_claimed_after_their_lease_has_expired(database: Database) -> None:
    async def never(_: int) -> bool:
        await asyncio.Event().wait()
        return True

    dying = asyncio.create_task(
        LeasedWorkQueue(database, claim=claim, work=never, settle=settle, lease_duration=timedelta(seconds=0.5), concurrency=100).run_once()
    )

    async def leased() -> bool:
        async with database.transaction() as tx:
            return int(await tx.fetchval("SELECT count(*) FROM job WHERE lease IS NOT NULL")) == 100

    await wait_for(leased)
    dying.cancel()

    async def work(_: int) -> bool:
        return True

    successor = LeasedWorkQueue(database, claim=claim, work=work, settle=settle, concurrency=100)
    assert await successor.run_once() == 0

    async def taken_up() -> bool:
        return await successor.run_once() == 100

    await wait_for(taken_up)
    assert await count_unfinished(database) == 0
    await database.close()


async def test_slow_job_holds_up_no_other(database: Database) -> None:
    slow_may_end = asyncio.Event()

    async def work(job: int) -> bool:
        if job == 1:
            await slow_may_end.wait()
        return True

    async def all_but_one_finished() -> bool:
        return await count_unfinished(database) == 1

    stop = asyncio.Event()
    queue = LeasedWorkQueue(database, claim=claim, work=work, settle=settle, poll_seconds=0.02)
    running = asyncio.create_task(queue.run(stop))
    await wait_for(all_but_one_finished)
    stop.set()
    slow_may_end.set()
    await running
    assert await count_unfinished(database) == 0
    await database.close()


async def test_results_that_could_not_be_stored_are_settled_by_the_next_run(database: Database) -> None:
    settled: list[int] = []

    async def work(_: int) -> bool:
        return True

    async def settle_second_time(tx: Transaction, done: Sequence[tuple[int, bool]]) -> None:
        settled.append(len(done))
        if len(settled) == 1:
            raise ConnectionResetError
        await settle(tx, done)

    queue = LeasedWorkQueue(database, claim=claim, work=work, settle=settle_second_time)
    with pytest.raises(ConnectionResetError):
        await queue.run_once()
    await queue.run_once()
    assert await count_unfinished(database) == 100 - 40
    await database.close()


async def test_finished_jobs_give_up_their_places_and_are_settled_together(database: Database) -> None:
    settled: list[int] = []

    async def work(_: int) -> bool:
        return True

    async def settle_counted(tx: Transaction, done: Sequence[tuple[int, bool]]) -> None:
        settled.append(len(done))
        await settle(tx, done)

    async def finished() -> bool:
        return await count_unfinished(database) == 0

    stop = asyncio.Event()
    queue = LeasedWorkQueue(database, claim=claim, work=work, settle=settle_counted, concurrency=10, poll_seconds=60.0)
    running = asyncio.create_task(queue.run(stop))
    await wait_for(finished)
    stop.set()
    queue.work_added.set()
    await running
    assert sum(settled) == 100
    assert max(settled) > 10, "more than run at a time"
    await database.close()


async def test_jobs_that_have_finished_are_settled_before_the_queue_stops(database: Database) -> None:
    all_claimed = asyncio.Event()

    async def work(job: int) -> bool:
        if job == 100:
            all_claimed.set()
        return True

    stop = asyncio.Event()
    queue = LeasedWorkQueue(database, claim=claim, work=work, settle=settle, concurrency=100)
    running = asyncio.create_task(queue.run(stop))
    await all_claimed.wait()
    stop.set()
    await running
    assert await count_unfinished(database) == 0
    await database.close()
