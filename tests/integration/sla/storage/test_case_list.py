"""The statements of the list of cases use indexes: with 100,000 cases no page reads the whole table."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from services.sla.storage.case_list import CaseFilter, CasePosition, VisibleCases, page_query
from shared.runtime.database.database import Database
from shared.runtime.process.settings import RuntimeSettings
from tests.support.messaging.settings import SettingsFactory

POSITION = CasePosition(datetime(2026, 6, 1, tzinfo=UTC), "c50000")
ROWS = """
INSERT INTO cases (id, number, source, procedure, version, status, class, department, received_at, calendar, sequence, head, state,
    changed_at, due_at, breached, other_departments, handler, personal_key)
SELECT 'c' || n, 'N-' || n, 's', 'p' || n % 5, 1, CASE WHEN n % 10 = 0 THEN 'open' ELSE 'closed' END, 'class' || n % 4, 'd' || n % 50,
    '2026-01-01'::timestamptz + n * interval '3 minutes', 'x', 1, '', '\\x7b7d', now(),
    CASE WHEN n % 10 = 0 THEN '2026-01-01'::timestamptz + n * interval '4 minutes' END, n % 100 = 0,
    CASE WHEN n % 200 = 0 THEN ARRAY['d7'] ELSE ARRAY[]::text[] END, CASE WHEN n % 300 = 0 THEN 'li' ELSE '' END, '\\x01'
FROM generate_series(1, 100000) AS n
"""


@pytest.fixture
async def database(make_settings: SettingsFactory) -> AsyncIterator[Database]:
    database = Database(make_settings(RuntimeSettings), "sla")
    async with database.transaction() as tx:
        await tx.execute(ROWS)
        await tx.execute("INSERT INTO case_person SELECT 'phone:' || n % 50000, 'c' || n FROM generate_series(1, 100000) AS n")
        await tx.execute("ANALYZE cases, case_person")
    yield database
    await database.close()


def nodes(plan: dict[str, Any]) -> list[str]:
    return [plan["Node Type"], *(name for child in plan.get("Plans", ()) for name in nodes(child))]


FILTERS = {
    "none": CaseFilter(),
    "status": CaseFilter(status="open"),
    "class": CaseFilter(class_="class1"),
    "department": CaseFilter(department="d7"),
    "procedure": CaseFilter(procedure="p1"),
    "number": CaseFilter(number="N-77"),
    "due": CaseFilter(due_before=datetime(2026, 1, 3, tzinfo=UTC)),
    "breached": CaseFilter(breached=True, status="open"),
    "person": CaseFilter(person_keys=("phone:77",)),
    "several": CaseFilter(status="open", class_="class1", department="d7", procedure="p1", breached=False),
}


async def test_no_page_reads_the_whole_table(database: Database) -> None:
    read_whole = []
    for name, where in FILTERS.items():
        for visible in (None, VisibleCases(("d7", ""), ("li",))):
            for after in (None, POSITION):
                statement, parameters = page_query(where, visible, after, 50)
                async with database.transaction() as tx:
                    [plan] = await tx.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *parameters)
                if "Seq Scan" in nodes(plan["Plan"]):
                    read_whole.append((name, visible is not None, after is not None))
    assert read_whole == []
