"""What ends the waits of the timer loop, and in which order partitions with many due timers are served."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from shared.runtime.timers import timers
from tests.integration.runtime.probe_service import (
    PARTITIONS,
    ProbeHandler,
    ProbeSender,
    build_service,
    case_on_partition,
    stored_notes,
    wait_for_notes,
)
from tests.integration.runtime.timers.test_timers import LATE, service_with_timers
from tests.support.waiting import wait_for


@pytest.fixture
def never_polls(probe_settings: RuntimeSettings) -> RuntimeSettings:
    return probe_settings.model_copy(update={"timer_poll_ms": 600_000})


async def arm_cases(service: Service, partition: int, due_at: datetime, *cases: str) -> None:
    async with service.database.transaction() as tx:
        await tx.execute("INSERT INTO cases SELECT unnest($1::text[]), 0", cases)
        await timers.arm(tx, dict.fromkeys(cases, (partition, due_at)))


async def test_timers_that_fell_due_before_the_start_fire_as_soon_as_partitions_are_assigned(never_polls: RuntimeSettings) -> None:
    case = case_on_partition(3)
    async with build_service(never_polls, ProbeHandler()).running() as service:  # fires no timers
        await arm_cases(service, 3, datetime.now(UTC) - LATE, case)
    async with service_with_timers(never_polls, ProbeHandler()) as service:
        await wait_for_notes(service, ["fired"], case)


async def test_an_earlier_timer_ends_the_wait_for_a_later_one(never_polls: RuntimeSettings, sender: ProbeSender) -> None:
    later, earlier = case_on_partition(5), case_on_partition(6)
    async with service_with_timers(never_polls, ProbeHandler()) as service:
        await sender.send_note(later, "armed", due=(datetime.now(UTC) + LATE).isoformat())
        await wait_for_notes(service, ["armed"], later)
        due = datetime.now(UTC) + timedelta(seconds=1)
        await sender.send_note(earlier, "armed", due=due.isoformat())
        await wait_for_notes(service, ["armed", "fired"], earlier)
        assert datetime.now(UTC) >= due


async def test_a_partition_with_many_due_timers_does_not_hold_up_another(probe_settings: RuntimeSettings) -> None:
    """Its timers are older, and more than three transactions hold."""
    many, other = [f"many-{number}" for number in range(3 * timers.BATCH_CASES + 1)], case_on_partition(2)
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        await arm_cases(service, 1, datetime.now(UTC) - 2 * LATE, *many)
        await arm_cases(service, 2, datetime.now(UTC) - LATE, other)
    probe = ProbeHandler()
    fired: list[str] = []
    probe.raise_on = fired.append  # is called for each timer that fires, in order
    async with service_with_timers(probe_settings, probe) as service:
        await wait_for(lambda: len(fired) == len(many) + 1, deadline=60, what="every due timer fired")
        assert f"fire {other}" in fired[: 2 * timers.BATCH_CASES + 1]
        await wait_for_notes(service, ["fired"], other)
        assert sorted(await stored_notes(service)) == ["fired"] * (len(many) + 1)


async def test_every_due_timer_of_all_partitions_fires_once_where_batches_run_in_parallel(probe_settings: RuntimeSettings) -> None:
    each = timers.BATCH_CASES // 4
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        for partition in range(PARTITIONS):
            await arm_cases(service, partition, datetime.now(UTC) - LATE, *(f"{partition}-{number}" for number in range(each)))
    async with service_with_timers(probe_settings, ProbeHandler()) as service:

        async def fired() -> bool:
            return len(await stored_notes(service)) >= PARTITIONS * each

        await wait_for(fired, deadline=60, what="every due timer fired")
        async with service.database.transaction() as tx:
            assert await tx.fetchval("SELECT count(DISTINCT case_id) FROM notes") == PARTITIONS * each
            assert await tx.fetchval("SELECT count(*) FROM notes") == PARTITIONS * each
            assert await tx.fetchval("SELECT count(*) FROM timer") == 0
