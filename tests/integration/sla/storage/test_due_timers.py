"""Whether a timer is due."""

from datetime import UTC, datetime, timedelta

from services.sla.storage import due_timers
from shared.runtime.database.database import Database
from shared.runtime.timers import timers
from tests.integration.sla.sla_harness import SlaHarness

NOW = datetime(2026, 9, 24, 8, tzinfo=UTC)


async def test_timer_is_due_at_its_instant(harness: SlaHarness) -> None:
    database = Database(harness.settings, "sla")
    async with database.transaction() as tx:
        await timers.arm(tx, {"later": (0, NOW + timedelta(hours=2))})
        assert not await due_timers.has_timer_due(tx, NOW)
        await timers.arm(tx, {"overdue": (0, NOW - timedelta(hours=1))})
        assert await due_timers.has_timer_due(tx, NOW)
    await database.close()
