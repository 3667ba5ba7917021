"""Intake with an attachment store in a folder."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.intake.bootstrap import build
from services.intake.config import IntakeSettings
from shared.runtime.service import Service
from tests.integration.intake.conftest import source_client
from tests.support.messaging.sample_organisation import write_organisation

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(50) + b"\xff\xd9"
ATTACHMENT_KEY = "a secret of the tests"
PEOPLE = [{"id": "li", "roles": ["handler"], "token_sha256": sha256(b"li-token").hexdigest()}]
IntakeWith = Callable[..., AbstractAsyncContextManager[tuple[Service, httpx.AsyncClient]]]


@pytest.fixture
def store_folder(tmp_path: Path) -> Path:
    return tmp_path / "attachments"


@pytest.fixture
def intake_with(settings: IntakeSettings, store_folder: Path, tmp_path: Path) -> IntakeWith:
    """`intake_with(attachment_max_bytes=…)`: intake with these settings of attachments, and the client of source web."""

    @asynccontextmanager
    async def run(**options: Any) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
        values = {"attachment_store": str(store_folder), "attachment_key": ATTACHMENT_KEY, **options}
        organisation = write_organisation(tmp_path, people=PEOPLE)
        changed = IntakeSettings(**(settings.model_dump() | {"organisation": organisation} | values))
        async with build(changed).running() as service, source_client(service) as client:
            yield service, client

    return run
