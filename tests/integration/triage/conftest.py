"""Triage, its settings, and registrations for it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from services.triage.bootstrap import build
from services.triage.config import TriageSettings
from shared.contracts import topics
from shared.contracts.events.triage import Registered
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.service import Service
from tests.support.messaging.cloud_events import case_event
from tests.support.messaging.sample_organisation import PROCEDURE, registered_event, sample_complaint, write_organisation
from tests.support.messaging.settings import SettingsFactory
from tests.support.messaging.topic_client import TopicClient

TOKEN_SHA256 = sha256(b"li-token").hexdigest()
START = datetime(2026, 9, 24, 8, 0, tzinfo=UTC)


@pytest.fixture
async def settings(make_settings: SettingsFactory, tmp_path: Path) -> TriageSettings:
    people = [{"id": "li", "roles": ["handler"], "token_sha256": TOKEN_SHA256}]
    settings = make_settings(TriageSettings, organisation=write_organisation(tmp_path, people=people))
    await apply_topics(settings, [topics.COMPLAINT_EVENTS, topics.CASE_EVENTS, topics.TRIAGE_EVENTS])
    return settings


@pytest.fixture
async def triage(settings: TriageSettings) -> AsyncIterator[Service]:
    async with build(settings).running() as service:
        yield service


def registration(case: str, minutes: float = 0, **fields: Any) -> Registered:
    """A registration as intake publishes it, so many minutes after START."""
    complaint = sample_complaint(case, START + timedelta(minutes=minutes), **fields)
    return registered_event(complaint, PROCEDURE["id"], PROCEDURE["version"])


async def send_registration(topic_client: TopicClient, case: str, minutes: float = 0, **fields: Any) -> None:
    """Publish a registration as intake does."""
    await topic_client.publish(case_event(topics.COMPLAINT_EVENTS, registration(case, minutes, **fields), "intake"))
