"""Row and content of a digest change together, whatever is stored and erased at once."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.intake.attachments.blobs import FolderBlobs
from services.intake.attachments.content_types import DEFAULT_TYPES
from services.intake.attachments.store import AttachmentLimits, AttachmentRefused, AttachmentStore
from services.intake.config import IntakeSettings
from shared.contracts.attachments import AttachmentKeys
from shared.runtime.database.database import Database
from tests.integration.intake.attachments.conftest import ATTACHMENT_KEY, JPEG
from tests.support.messaging.settings import SettingsFactory

DIGEST = sha256(JPEG).hexdigest()


class GatedBlobs(FolderBlobs):
    """A folder that stops before it moves a file into place."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.entered, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def put(self, sha256: str, path: Path) -> None:
        self.entered.set()
        await self.gate.wait()
        await super().put(sha256, path)


@pytest.fixture
async def database(make_settings: SettingsFactory) -> AsyncIterator[Database]:
    database = Database(make_settings(IntakeSettings, attachment_key=SecretStr(ATTACHMENT_KEY)), "intake")
    yield database
    await database.close()


async def test_upload_during_an_erasure_brings_nothing_back(database: Database, tmp_path: Path) -> None:
    blobs = GatedBlobs(tmp_path)
    limits = AttachmentLimits(1_000_000, frozenset(DEFAULT_TYPES))
    store = AttachmentStore(blobs, database, AttachmentKeys([ATTACHMENT_KEY]), limits)
    await store.put("a.jpg", JPEG, "web")
    blobs.gate.clear()
    blobs.entered.clear()
    storing = asyncio.create_task(store.put("a.jpg", JPEG, "web"))
    await asyncio.wait_for(blobs.entered.wait(), 10)
    erasing = asyncio.create_task(store.erase(DIGEST, "request"))
    await asyncio.wait([erasing], timeout=0.3)
    blobs.gate.set()
    await storing
    assert await erasing is True
    assert not (tmp_path / DIGEST[:2] / DIGEST[2:]).exists(), "an erased content is nowhere"
    with pytest.raises(AttachmentRefused):
        await store.put("a.jpg", JPEG, "web")
