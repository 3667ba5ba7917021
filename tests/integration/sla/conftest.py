"""The harness of sla's tests on real servers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from services.sla.config import SlaSettings
from shared.contracts.topics import TOPICS, department_topic
from shared.runtime.kafka.topic_admin import apply_topics
from tests.integration.sla.sla_harness import SlaHarness, write_organisation


@pytest.fixture
async def harness(bootstrap_servers: str, database_url: str, topic_prefix: str, tmp_path: Path) -> AsyncIterator[SlaHarness]:
    settings = SlaSettings(
        environment="test",
        kafka_bootstrap_servers=bootstrap_servers,
        database_url=database_url,
        topic_prefix=topic_prefix,
        organisation=write_organisation(tmp_path / "organisation.yaml"),
        clock_tolerance_ms=0,
        outbox_poll_ms=50,
        timer_poll_ms=50,
    )
    await apply_topics(settings, [*TOPICS.values(), department_topic("repairs"), department_topic("gardens")])
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers)
    await producer.start()
    yield SlaHarness(settings, producer)
    await producer.stop()
