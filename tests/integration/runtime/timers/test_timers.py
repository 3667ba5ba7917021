"""Timers fire once, after the watermark has passed their due instant, and not while their case is parked."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from prometheus_client import REGISTRY

from shared.runtime.database.database import Transaction
from shared.runtime.dead_letters import operations
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from shared.runtime.timers import timers
from shared.runtime.timers.timers import DueTimer
from shared.runtime.tracing.context import current_activity
from tests.integration.runtime.probe_service import (
    PARTITIONS,
    ProbeHandler,
    ProbeSender,
    build_service,
    case_on_partition,
    count_rows,
    stored_notes,
    wait_for_notes,
)
from tests.support.waiting import wait_for

LATE = timedelta(days=365)


@asynccontextmanager
async def service_with_timers(settings: RuntimeSettings, probe: ProbeHandler) -> AsyncIterator[Service]:
    service = build_service(settings, probe)
    service.add_timers(lock_cases=probe.lock, fire_timers=probe.fire)
    async with service.running():
        yield service


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def send_first_note(service: Service, sender: ProbeSender, *cases: str) -> None:
    """The first record of a topic may wait for a leader; later ones are fast enough for short deadlines."""
    for case in cases:
        await sender.send_note(case, "first")
        await wait_for_notes(service, ["first"], case)


def fired_total() -> float:
    return REGISTRY.get_sample_value("jiesu_timers_fired_total") or 0.0


async def test_log_lines_about_one_record_or_timer_name_its_case(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    activities: list[tuple[str, str, str]] = []

    def note_activity(text: str) -> None:
        activity = current_activity()
        assert activity is not None
        activities.append((text, activity.case, activity.event))

    event_id = "018f2b7e-1380-7000-8000-138000000001"
    async with service_with_timers(probe_settings, ProbeHandler(note_activity)) as service:
        await sender.send_note("case-1", "armed", event_id=event_id, due=(datetime.now(UTC) - LATE).isoformat())
        await wait_for_notes(service, ["armed", "fired"])
    assert activities == [("armed", "case-1", event_id), ("fire case-1", "case-1", "")]


async def test_a_timer_fires_once_after_its_due_instant(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    probe = ProbeHandler()
    async with service_with_timers(probe_settings, probe) as service:
        due = datetime.now(UTC) + timedelta(seconds=1)
        await sender.send_note("case-1", "armed", due=due.isoformat())
        await wait_for_notes(service, ["armed", "fired"], "case-1")
        assert datetime.now(UTC) >= due
        assert await count_rows(service, "timer") == 0


async def test_an_action_sent_before_the_due_instant_is_applied_before_the_timer_fires(
    probe_settings: RuntimeSettings, sender: ProbeSender
) -> None:
    """The process is stopped at the due instant; the action that disarms the timer is in Kafka when it starts again."""
    met, unmet = case_on_partition(7), case_on_partition(7, 1)
    async with service_with_timers(probe_settings, ProbeHandler()) as service:
        await send_first_note(service, sender, met, unmet)
        due = datetime.now(UTC) + timedelta(seconds=3)
        await sender.send_note(met, "armed", due=due.isoformat())
        await sender.send_note(unmet, "armed", due=due.isoformat())
        await wait_for_notes(service, ["first", "armed"], met)
        await wait_for_notes(service, ["first", "armed"], unmet)
    assert datetime.now(UTC) < due, "the machine is too slow for this test's deadline"
    await sender.send_note(met, "met")
    await wait_for(lambda: datetime.now(UTC) > due)
    before = fired_total()
    async with service_with_timers(probe_settings, ProbeHandler()) as service:
        await wait_for_notes(service, ["first", "armed", "met"], met)
        await wait_for_notes(service, ["first", "armed", "fired"], unmet)
        assert await stored_notes(service, met) == ["first", "armed", "met"]
        assert fired_total() == before + 1


async def test_a_due_timer_waits_for_the_running_batch_of_its_partition(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    """The batch of the action that disarms the timer is slow; the consumer's position is already after it."""
    case = case_on_partition(8)
    gate = asyncio.Event()
    entered = asyncio.Event()

    class Slow(ProbeHandler):
        async def handle(self, tx: Transaction, batch: Sequence[Any]) -> None:
            if [r.event.text for r in batch] == ["met"]:
                entered.set()
                await gate.wait()
            await super().handle(tx, batch)

    async with service_with_timers(probe_settings, Slow()) as service:
        await send_first_note(service, sender, case)
        due = datetime.now(UTC) + timedelta(seconds=2)
        await sender.send_note(case, "armed", due=due.isoformat())
        await wait_for_notes(service, ["first", "armed"], case)
        await sender.send_note(case, "met")
        await entered.wait()
        assert datetime.now(UTC) < due, "the machine is too slow for this test's deadline"
        await wait_for(lambda: datetime.now(UTC) > due + timedelta(seconds=0.5))
        assert await stored_notes(service, case) == ["first", "armed"]
        gate.set()
        await wait_for_notes(service, ["first", "armed", "met"], case)
        assert await service.watermark.wait_until_passed(8, due, timeout=5)
        assert await stored_notes(service, case) == ["first", "armed", "met"]


async def test_a_timer_of_an_empty_partition_fires_by_the_end_offset(probe_settings: RuntimeSettings) -> None:
    """Without records only the end offset, requested after the due instant, shows that nothing happened."""
    case = case_on_partition(9)
    async with service_with_timers(probe_settings, ProbeHandler()) as service:
        async with service.database.transaction() as tx:
            await tx.execute("INSERT INTO cases VALUES ($1, 0)", case)
            await timers.arm(tx, {case: (9, datetime.now(UTC) - LATE)})
        await wait_for_notes(service, ["fired"], case)


async def test_a_timer_of_another_process_partition_does_not_fire(probe_settings: RuntimeSettings) -> None:
    async with service_with_timers(probe_settings, ProbeHandler()) as service:
        async with service.database.transaction() as tx:
            await tx.execute("INSERT INTO cases VALUES ('a', 0), ('b', 0)")
            await timers.arm(tx, {"a": (99, datetime.now(UTC) - LATE), "b": (1, datetime.now(UTC) - LATE)})
        await wait_for_notes(service, ["fired"], "b")
        assert await count_rows(service, "timer") == 1


async def test_the_timer_of_a_parked_case_does_not_fire_and_is_counted(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    def raise_on(text: str) -> None:
        if text == "poison":
            raise ValueError

    case = case_on_partition(10)
    async with service_with_timers(probe_settings, ProbeHandler(raise_on)) as service:
        await send_first_note(service, sender, case)
        await sender.send_note(case, "armed", due=soon(2))
        await sender.send_note(case, "poison")

        async def parked() -> bool:
            return await count_rows(service, "parked") == 1

        await wait_for(parked)
        assert await service.watermark.wait_until_passed(10, datetime.now(UTC) + timedelta(seconds=1), timeout=10)
        await wait_for(lambda: REGISTRY.get_sample_value("jiesu_parked_timers") == 1.0)
        assert await stored_notes(service, case) == ["first", "armed"]


async def test_a_case_whose_timer_fails_is_parked_without_harm_to_others(probe_settings: RuntimeSettings) -> None:
    cases = [f"case-{n}" for n in range(9)]
    failing = {"fire case-4"}

    def raise_on(text: str) -> None:
        if text in failing:
            raise ZeroDivisionError

    async with service_with_timers(probe_settings, ProbeHandler(raise_on)) as service:
        async with service.database.transaction() as tx:
            await tx.execute("INSERT INTO cases SELECT unnest($1::text[]), 0", cases)
            await timers.arm(tx, {case: (partition_of(case, PARTITIONS), datetime.now(UTC) - LATE) for case in cases})

        async def fired() -> bool:
            return await count_rows(service, "notes") == 8 and await count_rows(service, "parked") == 1

        await wait_for(fired)
        assert await count_rows(service, "timer") == 1
        failing.clear()
        async with service.database.transaction() as tx:
            [letter] = await operations.list_dead_letters(tx)
            assert await operations.request_settlement(tx, letter.id)
        await wait_for_notes(service, ["fired"], "case-4")
        assert await count_rows(service, "timer") == await count_rows(service, "parked") == 0


async def test_two_processes_fire_each_timer_once(probe_settings: RuntimeSettings) -> None:
    cases = [f"case-{n}" for n in range(600)]
    async with service_with_timers(probe_settings, ProbeHandler()) as one, service_with_timers(probe_settings, ProbeHandler()) as other:
        await wait_for(lambda: set(one.watermark.owned_partitions()) | set(other.watermark.owned_partitions()) == set(range(PARTITIONS)))
        async with one.database.transaction() as tx:
            await tx.execute("INSERT INTO cases SELECT unnest($1::text[]), 0", cases)
            await timers.arm(tx, {case: (partition_of(case, PARTITIONS), datetime.now(UTC) - LATE) for case in cases})

        async def fired() -> bool:
            return await count_rows(one, "timer") == 0

        await wait_for(fired)
        assert sorted(await stored_notes(one)) == ["fired"] * 600
        assert await count_rows(one, "notes") == 600


async def test_a_lost_connection_neither_loses_nor_repeats_a_timer(probe_settings: RuntimeSettings) -> None:
    killed = 0

    class Killed(ProbeHandler):
        async def fire(self, tx: Transaction, due: Sequence[DueTimer], now: datetime) -> None:
            nonlocal killed
            await super().fire(tx, due, now)
            if killed < 3:
                killed += 1
                backend = await tx.fetchval("SELECT pg_backend_pid()")
                async with service.database.transaction() as other:
                    await other.execute("SELECT pg_terminate_backend($1)", backend)

    async with service_with_timers(probe_settings, Killed()) as service:
        async with service.database.transaction() as tx:
            await tx.execute("INSERT INTO cases VALUES ('a', 0)")
            await timers.arm(tx, {"a": (1, datetime.now(UTC) - LATE)})
        await wait_for_notes(service, ["fired"], "a")
        assert killed == 3


async def test_arming_the_same_cases_in_different_order_does_not_deadlock(probe_settings: RuntimeSettings) -> None:
    names = [f"case-{n}" for n in range(200)]
    async with build_service(probe_settings, ProbeHandler()).running() as service:

        async def arm(order: Sequence[str]) -> None:
            for _ in range(10):
                async with service.database.transaction() as tx:
                    await timers.arm(tx, {case: (1, datetime.now(UTC) + LATE) for case in order})

        await asyncio.gather(arm(names), arm(names[::-1]))
        async with service.database.transaction() as tx:
            await timers.arm(tx, dict.fromkeys(names[:150], (1, None)))
        assert await count_rows(service, "timer") == 50


async def test_a_timer_is_linked_to_the_event_that_set_its_instant(probe_settings: RuntimeSettings) -> None:
    first, second, unsampled = (f"00-{digit * 32}-{'b' * 16}-{flags}" for digit, flags in (("a", "01"), ("c", "01"), ("d", "00")))
    soon, later = datetime.now(UTC) + LATE, datetime.now(UTC) + 2 * LATE

    async def armed_by(service: Service, due: datetime, traceparent: str, arm: Any = timers.arm) -> str | None:
        async with service.database.transaction() as tx:
            await arm(tx, {"a": (1, due)}, {"a": traceparent})
            return cast("str | None", await tx.fetchval("SELECT traceparent FROM timer"))

    async with service_with_timers(probe_settings, ProbeHandler()) as service:
        assert await armed_by(service, soon, first) == first
        assert await armed_by(service, soon, second) == first, "the event has not moved the timer"
        assert await armed_by(service, later, second) == second
        assert await armed_by(service, later, first, timers.arm_earlier) == second
        assert await armed_by(service, soon, first, timers.arm_earlier) == first
        assert await armed_by(service, later, unsampled) is None, "there is nothing to link to"


async def test_a_timer_is_due_in_domain_time(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    origin = datetime.now(UTC)
    fast = probe_settings.model_copy(update={"clock": f"2026-09-21T08:00:00+08:00@{origin.isoformat()}x43200"})
    async with service_with_timers(fast, ProbeHandler()) as service:
        due = service.clock.now() + timedelta(days=1)  # two real seconds
        await sender.send_note("case-1", "armed", due=due.isoformat())
        await wait_for_notes(service, ["armed", "fired"], "case-1")
        assert service.clock.now() >= due
        async with service.database.transaction() as tx:
            recorded = await tx.fetchval("SELECT recorded FROM notes WHERE text = 'armed'")
        assert datetime(2026, 9, 21, tzinfo=UTC) < recorded < due
