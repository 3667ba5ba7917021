"""What all processes of sla share is counted and exported by one of them."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from services.sla.timers import CaseGauges
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.process.settings import RuntimeSettings
from tests.support.messaging.settings import SettingsFactory

CASE = """
INSERT INTO cases (id, number, source, procedure, version, status, class, department, received_at, calendar, sequence, head, state,
    changed_at, breached, other_departments, handler)
VALUES ($1, '1', 's', 'p', 1, 'open', 'valid', 'repairs', now(), 'x', 1, '', '', now(), false, '{}', '')
"""


@pytest.fixture
async def database(make_settings: SettingsFactory) -> AsyncIterator[Database]:
    database = Database(make_settings(RuntimeSettings), "sla")
    async with database.transaction() as tx:
        await tx.execute(CASE, "c1")
        await tx.execute("INSERT INTO held (case_id, at, input) VALUES ('c2', now(), '')")
    yield database
    await database.close()


def exported() -> tuple[float | None, float | None]:
    """Open cases of the department, and deferred inputs, as the process exports them."""
    labels = {"class": "valid", "department": "repairs"}
    return REGISTRY.get_sample_value("jiesu_cases_open", labels), REGISTRY.get_sample_value("jiesu_inputs_held")


async def test_one_of_two_processes_exports_the_figures(database: Database) -> None:
    first, second = CaseGauges(database, Clock()), CaseGauges(database, Clock())
    assert await first.measure()
    assert exported() == (1, 1)
    assert not await second.measure()
    assert exported() == (None, 0)
    async with database.transaction() as tx:
        await tx.execute("UPDATE lease SET expires_at = now() - $1::interval", timedelta(seconds=1))
    assert await second.measure()
    assert not await first.measure()


async def test_figures_that_cannot_be_counted_are_withdrawn(database: Database) -> None:
    gauges = CaseGauges(database, Clock())
    assert await gauges.measure()
    async with database.transaction() as tx:
        await tx.execute("ALTER TABLE held RENAME TO held_away")
    with pytest.raises(Exception, match="held"):
        await gauges.measure()
    assert exported() == (None, 0)
