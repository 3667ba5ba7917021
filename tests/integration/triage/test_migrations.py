"""The revisions of triage build what its tables declare."""

from services.triage.config import TriageSettings
from services.triage.storage import tables
from tests.support.migrations import migration_differences


async def test_the_revisions_build_the_declared_tables(settings: TriageSettings) -> None:
    assert await migration_differences(settings, "triage", "services.triage.migrations", tables.tables()) == []
