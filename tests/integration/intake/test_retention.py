"""Refusals are deleted after their retention."""

from datetime import timedelta

from services.intake.storage import refusals
from shared.runtime.database.database import Database
from shared.runtime.process.settings import RuntimeSettings
from tests.support.messaging.settings import SettingsFactory

REFUSALS = """
INSERT INTO refusal (via, source, reference, reason, faults, refused_at)
SELECT 'http', 's', 'r', 'invalid', '[]', now() - make_interval(days => n % 2 * 400) FROM generate_series(1, 4200) AS n
"""


async def test_old_refusals_are_deleted_and_no_other(make_settings: SettingsFactory) -> None:
    database = Database(make_settings(RuntimeSettings), "intake")
    async with database.transaction() as tx:
        await tx.execute(REFUSALS)
    assert await refusals.delete_old(database, timedelta(days=365)) == 2100
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM refusal") == 2100
    assert await refusals.delete_old(database, timedelta(days=365)) == 0
    await database.close()
