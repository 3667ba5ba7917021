"""The revisions of triage build what its tables declare."""

from services.triage import storage
from services.triage.config import TriageSettings
from tests.support.migrations import differences


async def test_the_revisions_build_the_declared_tables(settings: TriageSettings) -> None:
    assert await differences(settings, "triage", "services.triage.migrations", storage.tables()) == []
