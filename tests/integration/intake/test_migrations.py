"""The revisions of intake build what its tables declare."""

from services.intake import storage
from services.intake.config import IntakeSettings
from tests.support.migrations import differences


async def test_the_revisions_build_the_declared_tables(settings: IntakeSettings) -> None:
    assert await differences(settings, "intake", "services.intake.migrations", storage.tables()) == []
