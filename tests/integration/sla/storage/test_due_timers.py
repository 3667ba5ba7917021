"""Counts of due timers."""

from datetime import UTC, datetime, timedelta

from services.sla.storage import due_timers
from shared.runtime.database.database import Database
from shared.runtime.timers import timers
from tests.integration.sla.sla_harness import SlaHarness

NOW = datetime(2026, 9, 24, 8, tzinfo=UTC)


async def test_every_horizon_has_a_count_with_and_without_timers(harness: SlaHarness) -> None:
    database = Database(harness.settings, "sla")
    async with database.transaction() as tx:
        assert await due_timers.count_cases_due_within(tx, NOW, (1, 4)) == {1: 0, 4: 0}
        assert not await due_timers.has_timer_due(tx, NOW)
        await timers.arm(tx, {"overdue": (0, NOW - timedelta(hours=1)), "later": (0, NOW + timedelta(hours=2))})
        assert await due_timers.count_cases_due_within(tx, NOW, (1, 4)) == {1: 1, 4: 2}
        assert await due_timers.has_timer_due(tx, NOW)
    await database.close()
