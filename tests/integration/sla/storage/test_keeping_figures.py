"""What sla exports of erasures and of the runs of `jiesu retention`: what is late, and nothing where nothing has a limit."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from services.sla.application.keeping.measuring import ERASURE_GAUGES, RETENTION_GAUGES, set_erasure_gauges, set_retention_gauges
from services.sla.storage.keeping import erasures, retention_runs
from services.sla.storage.keeping.erasures import Erasure
from shared.runtime.database.database import Database
from shared.runtime.process.measured_gauge import Tenure
from shared.runtime.process.settings import RuntimeSettings
from tests.support.messaging.settings import SettingsFactory

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def database(make_settings: SettingsFactory) -> AsyncIterator[Database]:
    database = Database(make_settings(RuntimeSettings), "sla")
    yield database
    await database.close()


def exported(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"jiesu_{name}", labels)


async def retention(database: Database, case_days: int) -> tuple[float | None, float | None]:
    """Age of the last success in days, and whether the latest run failed, as the elected process exports them."""
    async with database.transaction() as tx:
        await set_retention_gauges(tx, NOW, case_days)
    for gauge in RETENTION_GAUGES:
        gauge.hold(Tenure(float("inf")), 60)
    age = exported("retention_last_success_age_seconds")
    return None if age is None else age / DAY.total_seconds(), exported("retention_last_run_failed")


async def run(database: Database, days_ago: int, outcome: str, *, limits: bool = True) -> None:
    run = uuid4()
    async with database.transaction() as tx:
        await retention_runs.begin_run(tx, run, NOW - days_ago * DAY, limits=limits)
        if outcome != retention_runs.RUNNING:
            await retention_runs.end_run(tx, run, NOW - days_ago * DAY, outcome)


async def test_retention_is_late_from_its_last_success_on(database: Database) -> None:
    assert await retention(database, 0) == (None, 0)
    assert await retention(database, 400) == (0, 0)
    await run(database, 9, retention_runs.DONE)
    await run(database, 5, retention_runs.DONE)
    assert await retention(database, 400) == (5, 0)
    await run(database, 3, retention_runs.FAILED)
    assert await retention(database, 400) == (5, 1)
    # Ended by the machine: nobody could record how.
    await run(database, 1, retention_runs.RUNNING)
    assert await retention(database, 400) == (5, 0)
    await run(database, 0, retention_runs.DONE)
    assert await retention(database, 400) == (0, 0)


async def test_retention_has_no_age_while_nothing_has_a_limit(database: Database) -> None:
    await run(database, 5, retention_runs.DONE, limits=False)
    assert await retention(database, 0) == (None, 0)
    assert await retention(database, 400) == (5, 0)
    # Attachments alone, which sla's settings do not show.
    await run(database, 4, retention_runs.DONE)
    assert await retention(database, 0) == (4, 0)


async def test_an_erasure_that_waits_for_topics_alone_is_counted_apart(database: Database) -> None:
    async with database.transaction() as tx:
        for days, steps in ((3, ["attachments"]), (20, ["attachments", "tables"]), (90, ["tables"])):
            erasure = Erasure(uuid4(), (f"case-{days}",), "order", "li", NOW - days * DAY)
            await erasures.insert_erasure(tx, erasure)
            for step in steps:
                await erasures.record_step(tx, erasure.id, step)
            if days == 90:
                await erasures.finish(tx, erasure.id, NOW)
        await set_erasure_gauges(tx, NOW)
    for gauge in ERASURE_GAUGES:
        gauge.hold(Tenure(float("inf")), 60)
    ages = {kind: exported("erasure_oldest_age_seconds", ground="order", waits_for=kind) for kind in ("tables", "topics")}
    assert ages == {"tables": 3 * DAY.total_seconds(), "topics": 20 * DAY.total_seconds()}
    assert exported("cases_erased", ground="order") == 3
