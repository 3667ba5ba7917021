"""Timers neither spin over cases that cannot be locked nor wait for connections that HTTP reads occupy."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from shared.runtime.database.database import Database, Transaction
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.timers import timers
from tests.integration.runtime.probe_service import (
    ProbeHandler,
    ProbeSender,
    build_service,
    case_on_partition,
    count_rows,
    stored_notes,
    wait_for_notes,
)
from tests.integration.runtime.timers.test_timers import LATE, service_with_timers
from tests.support.waiting import wait_for

PARTITION = 4


class CountingProbe(ProbeHandler):
    """Counts the attempts to lock cases."""

    attempts = 0

    async def lock(self, tx: Transaction, cases: Sequence[str]) -> Sequence[str]:
        self.attempts += 1
        return await super().lock(tx, cases)


async def arm_overdue(database: Database, *cases: str) -> None:
    """Later cases are due later."""
    async with database.transaction() as tx:
        await timers.arm(tx, {case: (PARTITION, datetime.now(UTC) - LATE + timedelta(hours=n)) for n, case in enumerate(cases)})


async def test_timers_back_off_while_every_due_case_is_erased(probe_settings: RuntimeSettings) -> None:
    """The erased case has a timer and no row: it can never be locked."""
    probe = CountingProbe()
    async with service_with_timers(probe_settings, probe) as service:
        await arm_overdue(service.database, case_on_partition(PARTITION))
        await wait_for(lambda: probe.attempts > 0)
        started, attempts = asyncio.get_running_loop().time(), probe.attempts
        await wait_for(lambda: asyncio.get_running_loop().time() > started + 2)
        assert probe.attempts - attempts < 15


async def test_more_erased_cases_than_a_batch_holds_do_not_keep_later_cases_from_firing(probe_settings: RuntimeSettings) -> None:
    erased = [f"erased-{number}" for number in range(timers.BATCH_CASES)]
    case = case_on_partition(PARTITION)
    async with service_with_timers(probe_settings, ProbeHandler()) as service:
        async with service.database.transaction() as tx:
            await tx.execute("INSERT INTO cases VALUES ($1, 0)", case)
        await arm_overdue(service.database, *erased, case)
        await wait_for_notes(service, ["fired"], case)


async def test_more_due_cases_than_a_batch_holds_all_fire_without_a_record(probe_settings: RuntimeSettings) -> None:
    """Other systems escalate the first hundred cases of a scan and never the rest."""
    cases = [f"due-{number}" for number in range(timers.BATCH_CASES + 100)]
    async with service_with_timers(probe_settings, ProbeHandler()) as service:
        async with service.database.transaction() as tx:
            await tx.execute("INSERT INTO cases SELECT unnest($1::text[]), 0", cases)
        await arm_overdue(service.database, *cases)

        async def fired() -> bool:
            async with service.database.transaction() as tx:
                return bool(await tx.fetchval("SELECT count(*) = $1 FROM notes", len(cases)))

        await wait_for(fired, deadline=30, what="every due timer fired")
        assert await count_rows(service, "timer") == 0


async def test_reads_that_occupy_the_pool_delay_neither_records_nor_timers(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    case = case_on_partition(PARTITION)
    probe = ProbeHandler()
    service = build_service(probe_settings, probe)
    service.add_timers(lock_cases=probe.lock, fire_timers=probe.fire)
    observer = service.database.with_own_connections(1)
    async with service.running(), AsyncExitStack() as reads:
        for _ in range(probe_settings.database_pool):
            await reads.enter_async_context(service.database.transaction())
        await sender.send_note(case, "armed", due=(datetime.now(UTC) + timedelta(seconds=1)).isoformat())

        async def fired() -> bool:
            async with observer.transaction() as tx:
                return bool(await tx.fetchval("SELECT count(*) = 2 FROM notes"))

        await wait_for(fired, deadline=8)
        await reads.aclose()
        assert await stored_notes(service, case) == ["armed", "fired"]
        await observer.close()
