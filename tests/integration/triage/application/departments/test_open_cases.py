"""Open cases are counted by lead department: those that have ended, or that another department leads, do not count."""

from collections.abc import AsyncIterator

import pytest

from services.triage.application.departments.open_cases import OpenCaseCounts
from services.triage.storage.triage_cases import TriageCaseRow
from shared.runtime.database.database import Database
from shared.runtime.process.settings import RuntimeSettings
from tests.support.messaging.settings import SettingsFactory

EMPTY = {str: "", int: 0, bool: False}
CONCERNED = "INSERT INTO concerned (case_id, department, proposed, cooperating, handler) VALUES ($1, $2, '', '{}', '')"
CASES = [("a", "repairs", ""), ("b", "repairs", "closed"), ("c", "gardens", ""), ("d", "repairs", ""), ("e", "", "")]


@pytest.fixture
async def database(make_settings: SettingsFactory) -> AsyncIterator[Database]:
    database = Database(make_settings(RuntimeSettings), "triage")
    async with database.transaction() as tx:
        for case, department, ended in CASES:
            row = {name: EMPTY[type_] for name, type_ in TriageCaseRow.__annotations__.items()} | {"case_id": case, "ended": ended}
            await tx.copy_rows("known", list(row), [list(row.values())])
            await tx.execute(CONCERNED, case, department)
    yield database
    await database.close()


async def test_open_cases_are_counted_for_departments_with_a_capacity(database: Database) -> None:
    counts = OpenCaseCounts({"repairs"})
    async with database.transaction() as tx:
        await counts.refresh(tx)
        assert dict(counts.counts) == {"repairs": 2}
        counts.add("repairs")
        counts.add("gardens")
        # Not counted again within ten seconds: what this process has routed since is added.
        await counts.refresh(tx)
    assert dict(counts.counts) == {"repairs": 3}
    without_capacity = OpenCaseCounts(())
    async with database.transaction() as tx:
        await without_capacity.refresh(tx)
    assert without_capacity.counts == {}
