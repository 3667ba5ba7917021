"""Files that a killed process left unscanned are deleted when intake starts."""

import os
from pathlib import Path

from services.intake.attachments import incoming
from tests.integration.intake.attachments.conftest import IntakeWith
from tests.support.waiting import wait_for


async def test_file_that_a_kill_left_is_deleted_at_start(intake_with: IntakeWith, store_folder: Path) -> None:
    (store_folder / "incoming").mkdir(parents=True)
    old, young = [store_folder / "incoming" / f"{incoming.PREFIX}{name}" for name in ("old", "young")]
    old.write_bytes(b"not scanned")
    young.write_bytes(b"being received")
    os.utime(old, (0, 0))
    async with intake_with():
        await wait_for(lambda: not old.exists())
        assert young.exists()
