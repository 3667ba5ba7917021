"""What all processes of sla share is counted, and exported by one of them; a figure of a day holds each event once."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.sla.application.figures.measuring import CASE_GAUGES, MONTH_GAUGES, set_case_gauges, set_month_gauges
from services.sla.metrics import CaseLabels
from services.sla.storage.figures.tallies import TallyKey, add_tallies, fold_tallies
from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.measuring import ElectedMeasuring, Measurement
from shared.runtime.process.measured_gauge import Tenure
from shared.runtime.process.settings import RuntimeSettings
from tests.support.messaging.settings import SettingsFactory

NOW = datetime(2026, 9, 24, 8, tzinfo=UTC)
LABELS = CaseLabels(frozenset({"p"}), frozenset({"valid"}), frozenset({"repairs"}))
UNIT = {"procedure": "p", "department": "repairs"}
CASE = """
INSERT INTO cases (id, number, source, procedure, version, status, class, department, received_at, calendar, sequence, head, state,
    changed_at, due_at, breached, escalated, other_departments, handler, personal_key)
VALUES ($1, '1', 's', $2, 1, $3, 'valid', 'repairs', $4, 'x', 1, '', '', now(), $5, $6, $7, '{}', '', '\\x01')
"""


@pytest.fixture
async def database(make_settings: SettingsFactory) -> AsyncIterator[Database]:
    database = Database(make_settings(RuntimeSettings), "sla")
    yield database
    await database.close()


async def add_case(database: Database, case: str, *, days: float = 0.5, due: timedelta | None = None, **values: Any) -> None:
    """A case received so many days ago, whose next deadline comes after `due`."""
    row = {"procedure": "p", "status": "open", "breached": False, "escalated": False} | values
    due_at = None if due is None else NOW + due
    received = NOW - timedelta(days=days)
    async with database.transaction() as tx:
        await tx.execute(CASE, case, row["procedure"], row["status"], received, due_at, row["breached"], row["escalated"])


def exported(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"jiesu_{name}", labels)


def hold(gauges: Any = CASE_GAUGES) -> None:
    """Export the gauges, as the elected process does."""
    for gauge in gauges:
        gauge.hold(Tenure(float("inf")), 60)


async def add_and_fail(database: Database, key: TallyKey) -> None:
    """Tally in a transaction that is rolled back, as a batch that is tried again."""
    async with database.transaction() as tx:
        await add_tallies(tx, [key])
        raise ZeroDivisionError


async def test_open_cases_are_counted_by_age_breach_and_escalation(database: Database) -> None:
    for number, days in enumerate((0.5, 0.9, 2, 5, 29, 400)):
        await add_case(database, f"c{number}", days=days, breached=days > 4, escalated=days > 300)
    await add_case(database, "ended", status="closed", breached=True)
    await add_case(database, "foreign", procedure="of a version that is no longer installed")
    async with database.transaction() as tx:
        await set_case_gauges(tx, NOW, LABELS)
    hold()
    ages = {
        age: exported("cases_open", age=age, **UNIT, **{"class": "valid"}) for age in ("under_1d", "1d_3d", "3d_7d", "7d_30d", "over_30d")
    }
    assert ages == {"under_1d": 2, "1d_3d": 1, "3d_7d": 1, "7d_30d": 1, "over_30d": 1}
    assert exported("cases_open", age="under_1d", procedure="other", department="repairs", **{"class": "valid"}) == 1
    assert exported("cases_breached", **UNIT) == 3
    assert exported("cases_escalated", **UNIT) == 1


async def test_coming_deadlines_are_counted_within_each_time(database: Database) -> None:
    for number, due in enumerate((-timedelta(hours=1), timedelta(minutes=30), timedelta(hours=5), timedelta(days=2), timedelta(days=4))):
        await add_case(database, f"c{number}", due=due)
    await add_case(database, "without a deadline")
    async with database.transaction() as tx:
        await set_case_gauges(tx, NOW, LABELS)
    hold()
    assert [exported("cases_due", within=within, **UNIT) for within in ("1h", "1d", "3d")] == [1, 2, 3]
    assert exported("cases_overdue", **UNIT) == 1


async def test_no_case_leaves_no_value_of_the_one_before(database: Database) -> None:
    await add_case(database, "c", due=timedelta(minutes=1))
    async with database.transaction() as tx:
        await set_case_gauges(tx, NOW, LABELS)
        await tx.execute("DELETE FROM cases")
        await set_case_gauges(tx, NOW, LABELS)
    hold()
    assert exported("cases_due", within="1h", **UNIT) is None
    assert exported("cases_open", age="under_1d", **UNIT, **{"class": "valid"}) is None


async def test_figures_of_the_month_hold_each_event_once(database: Database) -> None:
    def deadline(day: date, outcome: str, department: str = "repairs") -> TallyKey:
        return TallyKey(day, "deadlines", "p", department, outcome)

    today = NOW.date()
    async with database.transaction() as tx:
        await add_tallies(tx, [deadline(today, "met"), deadline(today, "met"), deadline(today - timedelta(days=29), "breached")])
        await add_tallies(tx, [deadline(today - timedelta(days=31), "breached"), TallyKey(today, "urgings", "p", "repairs", "")])
    with pytest.raises(ZeroDivisionError):
        await add_and_fail(database, deadline(today, "met"))
    async with database.transaction() as tx:
        await fold_tallies(tx)
    async with database.transaction() as tx:
        await add_tallies(tx, [deadline(today, "met", "department that has left")])
        await set_month_gauges(tx, NOW, LABELS)
        assert await tx.fetchval("SELECT count(*) FROM tally") == 0
    hold(MONTH_GAUGES)
    assert exported("month_deadlines", outcome="met", **UNIT) == 2
    assert exported("month_deadlines", outcome="breached", **UNIT) == 1
    assert exported("month_deadlines", outcome="met", procedure="p", department="other") == 1
    assert exported("month_urgings", **UNIT) == 1


async def test_what_all_processes_share_is_counted_by_one_of_them(database: Database) -> None:
    await add_case(database, "c")

    async def set_gauges(tx: Transaction) -> None:
        await set_case_gauges(tx, NOW, LABELS)

    def value() -> float | None:
        return exported("cases_open", age="under_1d", **UNIT, **{"class": "valid"})

    measurement = Measurement("cases", set_gauges, CASE_GAUGES)
    first, second = ElectedMeasuring(database), ElectedMeasuring(database)
    assert await first.measure(measurement)
    assert value() == 1
    assert not await second.measure(measurement)
    assert value() is None
    await first.close()
    assert await second.measure(measurement)
    await second.close()
