"""The harness of sla's tests on real servers."""

from pathlib import Path

import pytest

from services.sla.config import SlaSettings
from shared.contracts.topics import TOPICS, department_topic
from shared.runtime.kafka.topic_admin import apply_topics
from tests.integration.sla.sla_harness import SlaHarness, write_organisation
from tests.support.messaging.settings import SettingsFactory
from tests.support.messaging.topic_client import TopicClient


@pytest.fixture
async def harness(make_settings: SettingsFactory, topic_client: TopicClient, tmp_path: Path) -> SlaHarness:
    settings = make_settings(SlaSettings, organisation=write_organisation(tmp_path / "organisation.yaml"))
    await apply_topics(settings, [*TOPICS.values(), department_topic("repairs"), department_topic("gardens")])
    return SlaHarness(settings, topic_client)
