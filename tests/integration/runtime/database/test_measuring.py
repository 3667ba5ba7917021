"""One process of a service measures what the database counts; a failure ends the values; a database that is down is seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY, CollectorRegistry
from pydantic import SecretStr

from shared.runtime.clock import monotonic
from shared.runtime.database import measuring
from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.measuring import LEASE, ElectedMeasuring, Measurement, check_database
from shared.runtime.process import measured_gauge
from shared.runtime.process.health import Health
from shared.runtime.process.measured_gauge import SharedGauge
from shared.runtime.process.settings import RuntimeSettings
from tests.support.waiting import wait_for


@pytest.fixture
async def processes(settings: RuntimeSettings) -> AsyncIterator[list[ElectedMeasuring]]:
    """What two processes of one service and one of another have."""
    databases = [Database(settings, schema) for schema in ("sla", "sla", "triage")]
    running = [ElectedMeasuring(database) for database in databases]
    yield running
    for each in running:
        await each.close()


def counting(gauge: SharedGauge) -> Measurement:
    async def set_gauges(tx: Transaction) -> None:
        gauge.set(await tx.fetchval("SELECT 7"))

    return Measurement("probe", set_gauges, (gauge,))


async def test_one_process_of_a_service_measures_and_another_follows_when_it_ends(processes: list[ElectedMeasuring]) -> None:
    registries = [CollectorRegistry() for _ in processes]
    measurements = [counting(SharedGauge("jiesu_probe", "Probe", registry=registry)) for registry in registries]

    async def measure() -> list[float | None]:
        for process, measurement in zip(processes, measurements, strict=True):
            await process.measure(measurement)
        return [registry.get_sample_value("jiesu_probe") for registry in registries]

    assert await measure() == [7, None, 7]
    assert await measure() == [7, None, 7]
    await processes[0].close()
    assert await processes[1].measure(measurements[1])
    assert not await processes[0].measure(measurements[0])
    assert [registry.get_sample_value("jiesu_probe") for registry in registries] == [None, 7, 7]


async def test_a_failed_measurement_is_counted_and_ends_its_values(processes: list[ElectedMeasuring]) -> None:
    registry = CollectorRegistry()
    gauge = SharedGauge("jiesu_probe", "Probe", registry=registry)
    await processes[0].measure(counting(gauge))
    assert registry.get_sample_value("jiesu_probe") == 7

    async def fail(_: Transaction) -> None:
        raise ZeroDivisionError

    labels = {"measurement": "failing"}
    before = REGISTRY.get_sample_value("jiesu_measurements_failed_total", labels) or 0
    with pytest.raises(ZeroDivisionError):
        await processes[0].measure(Measurement("failing", fail, (gauge,)))
    assert registry.get_sample_value("jiesu_probe") is None
    assert REGISTRY.get_sample_value("jiesu_measurements_failed_total", labels) == before + 1
    await processes[0].measure(counting(gauge))
    assert registry.get_sample_value("jiesu_probe") == 7


async def test_a_database_that_is_down_is_a_trouble_and_a_metric(settings: RuntimeSettings) -> None:
    health, up = Health(), Database(settings, "probe")
    down = Database(settings.model_copy(update={"database_url": SecretStr("postgresql://nobody@127.0.0.1:1/none")}), "probe")
    await check_database(down, health)
    assert list(health.troubles()) == ["database"]
    assert REGISTRY.get_sample_value("jiesu_database_up") == 0
    await check_database(up, health)
    assert health.troubles() == {}
    assert REGISTRY.get_sample_value("jiesu_database_up") == 1
    await down.close()
    await up.close()


async def test_values_end_with_the_lease_of_a_process_that_does_not_renew_it(
    processes: list[ElectedMeasuring], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that hangs in a query must not export beside the next one."""
    registry = CollectorRegistry()
    gauge = SharedGauge("jiesu_probe", "Probe", registry=registry)
    await processes[0].measure(counting(gauge))
    assert registry.get_sample_value("jiesu_probe") == 7
    elected_at = monotonic()
    monkeypatch.setattr(measured_gauge, "monotonic", lambda: elected_at + LEASE.total_seconds())
    assert registry.get_sample_value("jiesu_probe") is None


async def test_loop_pauses_while_the_tenure_has_ended_without_a_database(
    processes: list[ElectedMeasuring], monkeypatch: pytest.MonkeyPatch
) -> None:
    gauge = SharedGauge("jiesu_probe", "Probe", registry=CollectorRegistry())
    await processes[0].measure(counting(gauge))
    elected_at = monotonic()
    monkeypatch.setattr(measured_gauge, "monotonic", lambda: elected_at + LEASE.total_seconds())
    stop, pauses = asyncio.Event(), 0

    async def wait(_seconds: float, *events: asyncio.Event) -> None:
        nonlocal pauses
        pauses += 1
        assert not any(event.is_set() for event in events)
        stop.set()

    monkeypatch.setattr(measuring, "wait_for_any", wait)
    await processes[0].run(counting(gauge), stop)
    assert pauses == 1


def test_measurement_pauses_fifty_times_as_long_as_it_took() -> None:
    measurement = counting(SharedGauge("jiesu_probe", "Probe", registry=CollectorRegistry()))
    assert [measurement.pause(took) for took in (0.001, 0.1, 4.0)] == [5.0, 5.0, 200.0]


async def test_process_that_stands_for_election_keeps_its_values(processes: list[ElectedMeasuring]) -> None:
    registry = CollectorRegistry()
    gauge = SharedGauge("jiesu_probe", "Probe", registry=registry)
    stop = asyncio.Event()
    standing = asyncio.create_task(processes[0].stand_for_election(stop))
    running = asyncio.create_task(processes[0].run(counting(gauge), stop))
    await wait_for(lambda: registry.get_sample_value("jiesu_probe") == 7, what="measured at once when elected", deadline=2)
    assert not await processes[1].measure(counting(SharedGauge("jiesu_probe", "Probe", registry=CollectorRegistry())))
    stop.set()
    await asyncio.gather(standing, running)
