"""Intake, its settings and clients for it, for each test."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.ports import free_ports
from services.intake.bootstrap import build
from services.intake.config import IntakeSettings
from shared.contracts import topics
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.service import Service
from tests.support.messaging.key_client import key_client
from tests.support.messaging.sample_organisation import API_KEYS, ENCRYPTION_KEYS, write_organisation
from tests.support.messaging.settings import SettingsFactory


@pytest.fixture
async def settings(make_settings: SettingsFactory, tmp_path: Path) -> IntakeSettings:
    # Tests send many requests at once, and a busy machine answers them late.
    settings = make_settings(IntakeSettings, sealing_keys=ENCRYPTION_KEYS, organisation=write_organisation(tmp_path), overload_seconds=60)
    await apply_topics(settings, [topics.COMPLAINT_SUBMISSIONS, topics.COMPLAINT_EVENTS])
    return settings


@pytest.fixture
async def intake(settings: IntakeSettings) -> AsyncIterator[Service]:
    async with build(settings).running() as service:
        yield service


@pytest.fixture
async def web(intake: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with source_client(intake) as client:
        yield client


def source_client(service: Service, source: str = "web", **options: Any) -> httpx.AsyncClient:
    """An HTTP client with the API key of a source."""
    return key_client(service, API_KEYS[source], **options)


async def query_rows(service: Service, query: str, *arguments: Any) -> list[Any]:
    """The rows of a query in the service's schema."""
    async with service.database.transaction() as tx:
        return await tx.fetch(query, *arguments)


@pytest.fixture
def free_port() -> int:
    """A port on which no process listens."""
    return free_ports(1)[0]
