"""Timers: once, late rather than wrong, held while a case is parked."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client import REGISTRY

from shared.runtime.database.database import Transaction
from shared.runtime.dead_letters import operations
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from shared.runtime.timers import timers
from shared.runtime.timers.timers import DueTimer
from tests.integration.runtime.probe import (
    PARTITIONS,
    ProbeHandler,
    ProbeSender,
    build_service,
    case_on_partition,
    count_rows,
    stored_notes,
)
from tests.support.waiting import wait_for

LATE = timedelta(days=365)


@asynccontextmanager
async def timed(settings: RuntimeSettings, probe: ProbeHandler) -> AsyncIterator[Service]:
    service = build_service(settings, probe)
    service.add_timers(lock_cases=probe.lock, fire_timers=probe.fire)
    async with service.running():
        yield service


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def warm(service: Service, sender: ProbeSender, *cases: str) -> None:
    """A new topic's leader may let the first send wait; what follows is quick enough for short deadlines."""
    for case in cases:
        await sender.send_note(case, "warm")
        await until_notes(service, ["warm"], case)


def fired_total() -> float:
    return REGISTRY.get_sample_value("jiesu_timers_fired_total") or 0.0


async def until_notes(service: Service, expected: list[str], case: str) -> None:
    async def arrived() -> bool:
        return await stored_notes(service, case) == expected

    await wait_for(arrived, what=f"notes {expected}")


async def test_a_timer_fires_once_after_its_due_instant(applied: RuntimeSettings, sender: ProbeSender) -> None:
    probe = ProbeHandler()
    async with timed(applied, probe) as service:
        due = datetime.now(UTC) + timedelta(seconds=1)
        await sender.send_note("case-1", "armed", due=due.isoformat())
        await until_notes(service, ["armed", "fired"], "case-1")
        assert datetime.now(UTC) >= due
        assert await count_rows(service, "timer") == 0


async def test_no_false_breach(applied: RuntimeSettings, sender: ProbeSender) -> None:
    """Stopped over a due instant, with the action that meets it waiting in Kafka: the action is applied first, the timer is gone."""
    met, unmet = case_on_partition(7), case_on_partition(7, 1)
    async with timed(applied, ProbeHandler()) as service:
        await warm(service, sender, met, unmet)
        due = datetime.now(UTC) + timedelta(seconds=3)
        await sender.send_note(met, "armed", due=due.isoformat())
        await sender.send_note(unmet, "armed", due=due.isoformat())
        await until_notes(service, ["warm", "armed"], met)
        await until_notes(service, ["warm", "armed"], unmet)
    assert datetime.now(UTC) < due, "the machine is too slow for this test's deadline"
    await sender.send_note(met, "met")
    await wait_for(lambda: datetime.now(UTC) > due)
    before = fired_total()
    async with timed(applied, ProbeHandler()) as service:
        await until_notes(service, ["warm", "armed", "met"], met)
        await until_notes(service, ["warm", "armed", "fired"], unmet)
        assert await stored_notes(service, met) == ["warm", "armed", "met"]
        assert fired_total() == before + 1


async def test_a_due_timer_waits_while_a_batch_of_its_partition_is_in_hand(applied: RuntimeSettings, sender: ProbeSender) -> None:
    """The action was fetched before the due instant's timer loop looked; its batch is slow. The consumer's position is already past it."""
    case = case_on_partition(8)
    gate = asyncio.Event()
    entered = asyncio.Event()

    class Slow(ProbeHandler):
        async def handle(self, tx: Transaction, batch: Sequence[Any]) -> None:
            if [r.event.text for r in batch] == ["met"]:
                entered.set()
                await gate.wait()
            await super().handle(tx, batch)

    async with timed(applied, Slow()) as service:
        await warm(service, sender, case)
        due = datetime.now(UTC) + timedelta(seconds=2)
        await sender.send_note(case, "armed", due=due.isoformat())
        await until_notes(service, ["warm", "armed"], case)
        await sender.send_note(case, "met")
        await entered.wait()
        assert datetime.now(UTC) < due, "the machine is too slow for this test's deadline"
        await wait_for(lambda: datetime.now(UTC) > due + timedelta(seconds=0.5))
        assert await stored_notes(service, case) == ["warm", "armed"]
        gate.set()
        await until_notes(service, ["warm", "armed", "met"], case)
        assert await service.watermark.wait_until_passed(8, due, timeout=5)
        assert await stored_notes(service, case) == ["warm", "armed", "met"]


async def test_a_timer_of_an_idle_partition_fires_on_the_brokers_word_alone(applied: RuntimeSettings) -> None:
    """No record ever came there: only the end offset, asked after the due instant, can show that nothing happened."""
    case = case_on_partition(9)
    async with timed(applied, ProbeHandler()) as service:
        async with service.database.transaction() as tx:
            await tx.execute("INSERT INTO cases VALUES ($1, 0)", case)
            await timers.arm(tx, {case: (9, datetime.now(UTC) - LATE)})
        await until_notes(service, ["fired"], case)


async def test_a_timer_of_a_partition_that_is_not_ours_is_left_alone(applied: RuntimeSettings) -> None:
    async with timed(applied, ProbeHandler()) as service:
        async with service.database.transaction() as tx:
            await tx.execute("INSERT INTO cases VALUES ('a', 0), ('b', 0)")
            await timers.arm(tx, {"a": (99, datetime.now(UTC) - LATE), "b": (1, datetime.now(UTC) - LATE)})
        await until_notes(service, ["fired"], "b")
        assert await count_rows(service, "timer") == 1


async def test_a_parked_cases_timer_is_held_and_counted(applied: RuntimeSettings, sender: ProbeSender) -> None:
    def fault(text: str) -> None:
        if text == "poison":
            raise ValueError

    case = case_on_partition(10)
    async with timed(applied, ProbeHandler(fault)) as service:
        await warm(service, sender, case)
        await sender.send_note(case, "armed", due=soon(2))
        await sender.send_note(case, "poison")

        async def parked() -> bool:
            return await count_rows(service, "parked") == 1

        await wait_for(parked)
        assert await service.watermark.wait_until_passed(10, datetime.now(UTC) + timedelta(seconds=1), timeout=10)
        await wait_for(lambda: REGISTRY.get_sample_value("jiesu_parked_timers") == 1.0)
        assert await stored_notes(service, case) == ["warm", "armed"]


async def test_a_case_whose_timer_cannot_be_fired_is_parked_and_holds_nobody_up(applied: RuntimeSettings) -> None:
    cases = [f"case-{n}" for n in range(9)]
    ill = {"fire case-4"}

    def fault(text: str) -> None:
        if text in ill:
            raise ZeroDivisionError

    async with timed(applied, ProbeHandler(fault)) as service:
        async with service.database.transaction() as tx:
            await tx.execute("INSERT INTO cases SELECT unnest($1::text[]), 0", cases)
            await timers.arm(tx, {case: (partition_of(case, PARTITIONS), datetime.now(UTC) - LATE) for case in cases})

        async def fired() -> bool:
            return await count_rows(service, "notes") == 8 and await count_rows(service, "parked") == 1

        await wait_for(fired)
        assert await count_rows(service, "timer") == 1
        ill.clear()
        async with service.database.transaction() as tx:
            [letter] = await operations.list_dead_letters(tx)
            assert await operations.request_settlement(tx, letter.id)
        await until_notes(service, ["fired"], "case-4")
        assert await count_rows(service, "timer") == await count_rows(service, "parked") == 0


async def test_two_processes_fire_each_timer_once(applied: RuntimeSettings) -> None:
    cases = [f"case-{n}" for n in range(600)]
    async with timed(applied, ProbeHandler()) as one, timed(applied, ProbeHandler()) as other:
        await wait_for(lambda: set(one.watermark.owned_partitions()) | set(other.watermark.owned_partitions()) == set(range(PARTITIONS)))
        async with one.database.transaction() as tx:
            await tx.execute("INSERT INTO cases SELECT unnest($1::text[]), 0", cases)
            await timers.arm(tx, {case: (partition_of(case, PARTITIONS), datetime.now(UTC) - LATE) for case in cases})

        async def fired() -> bool:
            return await count_rows(one, "timer") == 0

        await wait_for(fired)
        assert sorted(await stored_notes(one)) == ["fired"] * 600
        assert await count_rows(one, "notes") == 600


async def test_an_outage_of_the_database_neither_loses_nor_doubles_a_timer(applied: RuntimeSettings) -> None:
    killed = 0

    class Killed(ProbeHandler):
        async def fire(self, tx: Transaction, due: Sequence[DueTimer], now: datetime) -> None:
            nonlocal killed
            await super().fire(tx, due, now)
            if killed < 3:
                killed += 1
                mine = await tx.fetchval("SELECT pg_backend_pid()")
                async with service.database.transaction() as other:
                    await other.execute("SELECT pg_terminate_backend($1)", mine)

    async with timed(applied, Killed()) as service:
        async with service.database.transaction() as tx:
            await tx.execute("INSERT INTO cases VALUES ('a', 0)")
            await timers.arm(tx, {"a": (1, datetime.now(UTC) - LATE)})
        await until_notes(service, ["fired"], "a")
        assert killed == 3


async def test_arming_in_any_order_from_both_sides_does_not_deadlock(applied: RuntimeSettings) -> None:
    names = [f"case-{n}" for n in range(200)]
    async with build_service(applied, ProbeHandler()).running() as service:

        async def arm(order: Sequence[str]) -> None:
            for _ in range(10):
                async with service.database.transaction() as tx:
                    await timers.arm(tx, {case: (1, datetime.now(UTC) + LATE) for case in order})

        await asyncio.gather(arm(names), arm(names[::-1]))
        async with service.database.transaction() as tx:
            await timers.arm(tx, dict.fromkeys(names[:150], (1, None)))
        assert await count_rows(service, "timer") == 50


async def test_the_scaled_clock_brings_a_timer_nearer(applied: RuntimeSettings, sender: ProbeSender) -> None:
    origin = datetime.now(UTC)
    fast = applied.model_copy(update={"clock": f"2026-09-21T08:00:00+08:00@{origin.isoformat()}x43200"})
    async with timed(fast, ProbeHandler()) as service:
        due = service.clock.now() + timedelta(days=1)  # two real seconds
        await sender.send_note("case-1", "armed", due=due.isoformat())
        await until_notes(service, ["armed", "fired"], "case-1")
        assert service.clock.now() >= due
        async with service.database.transaction() as tx:
            recorded = await tx.fetchval("SELECT recorded FROM notes WHERE text = 'armed'")
        assert datetime(2026, 9, 21, tzinfo=UTC) < recorded < due
