"""Triage, its settings, and registrations for it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.triage.bootstrap import build
from services.triage.config import TriageSettings
from shared.contracts import topics
from shared.contracts.complaint import Complaint
from shared.contracts.events import encode_event
from shared.contracts.events.triage import Registered
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.service import Service
from tests.support.messaging.topic_client import PROCEDURE, TopicClient, cloud_event_headers, open_topic_client, write_organisation

TOKEN_SHA256 = sha256(b"li-token").hexdigest()
START = datetime(2026, 9, 24, 8, 0, tzinfo=UTC)


@pytest.fixture
async def settings(bootstrap_servers: str, database_url: str, topic_prefix: str, tmp_path: Path) -> TriageSettings:
    people = [{"id": "li", "roles": ["handler"], "token_sha256": TOKEN_SHA256}]
    settings = TriageSettings(
        environment="test",
        kafka_bootstrap_servers=bootstrap_servers,
        database_url=database_url,
        topic_prefix=topic_prefix,
        organisation=write_organisation(tmp_path, people=people),
        clock_tolerance_ms=0,
        outbox_poll_ms=50,
    )
    await apply_topics(settings, [topics.COMPLAINT_EVENTS, topics.CASE_EVENTS, topics.TRIAGE_EVENTS])
    return settings


@pytest.fixture
async def triage(settings: TriageSettings) -> AsyncIterator[Service]:
    async with build(settings).running() as service:
        yield service


@pytest.fixture
async def topic_client(settings: TriageSettings) -> AsyncIterator[TopicClient]:
    async with open_topic_client(settings) as client:
        yield client


def registered_event(case: str, minutes: float = 0, **fields: Any) -> Registered:
    """A registration as intake publishes it."""
    at = START + timedelta(minutes=minutes)
    complaint_fields = {
        "case": case,
        "number": "TS-1",
        "source": "web",
        "received_at": at,
        "registered_at": at,
        "channel": "hotline",
        "text": "吵",
    }
    complaint = Complaint.model_validate(complaint_fields | fields)
    return Registered(case=case, at=at, procedure="shop", version=PROCEDURE["version"], complaint=complaint, number="TS-1")


async def send_registration(topic_client: TopicClient, case: str, minutes: float = 0, **fields: Any) -> None:
    """Publish a registration as intake does."""
    event = registered_event(case, minutes, **fields)
    await topic_client.send(topics.COMPLAINT_EVENTS, case, encode_event(event), cloud_event_headers("registered", "intake", str(uuid4())))
