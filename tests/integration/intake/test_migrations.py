"""The revisions of intake build what its tables declare."""

from services.intake.config import IntakeSettings
from services.intake.storage import tables
from tests.support.migrations import migration_differences


async def test_the_revisions_build_the_declared_tables(settings: IntakeSettings) -> None:
    assert await migration_differences(settings, "intake", "services.intake.migrations", tables.tables()) == []
