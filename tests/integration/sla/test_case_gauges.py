"""What all processes of sla share is counted and exported by one of them."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY

from services.sla import metrics
from services.sla.metrics import CaseLabels
from services.sla.timers import set_gauges
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.measuring import ElectedMeasuring, Measurement
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


async def test_what_all_processes_share_is_counted_by_one_of_them(database: Database) -> None:
    async def set_case_gauges(tx: Transaction) -> None:
        await set_gauges(tx, Clock(), CaseLabels(frozenset({"valid"}), frozenset({"repairs"})))

    measurement = Measurement("cases", set_case_gauges, (metrics.CASES_OPEN, metrics.CASES_DUE_WITHIN, metrics.INPUTS_HELD))
    first, second = ElectedMeasuring(database), ElectedMeasuring(database)
    assert await first.measure(measurement)
    assert exported() == (1, 1)
    assert not await second.measure(measurement)
    assert exported() == (None, None)
    await first.close()
    assert await second.measure(measurement)
    await second.close()
