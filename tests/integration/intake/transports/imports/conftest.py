"""Intake with a source that imports files."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from services.intake.config import IntakeSettings
from shared.contracts import topics
from shared.runtime.kafka.topic_admin import apply_topics
from tests.support.messaging.import_samples import organisation_with_imports
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS
from tests.support.messaging.settings import SettingsFactory
from tests.support.waiting import wait_for


@pytest.fixture
async def settings(make_settings: SettingsFactory, tmp_path: Path) -> IntakeSettings:
    settings = make_settings(IntakeSettings, sealing_keys=ENCRYPTION_KEYS, organisation=organisation_with_imports(tmp_path))
    await apply_topics(settings, [topics.COMPLAINT_SUBMISSIONS, topics.COMPLAINT_EVENTS])
    return settings


async def import_content(web: httpx.AsyncClient, content: bytes, **parameters: Any) -> dict[str, Any]:
    """The import of a file once it has ended."""
    answer = await web.post("/v1/imports", content=content, params=parameters)
    assert answer.status_code == 202, answer.text
    return await ended(web, answer.headers["Location"])


async def ended(web: httpx.AsyncClient, location: str) -> dict[str, Any]:
    async def finished() -> dict[str, Any] | None:
        document: dict[str, Any] = (await web.get(location)).json()
        return None if document["state"] == "running" else document

    result = await wait_for(finished)
    assert isinstance(result, dict)
    return result
