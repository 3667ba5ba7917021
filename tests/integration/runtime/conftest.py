"""Settings, topics and a sender for the runtime's tests with real Kafka and PostgreSQL."""

from collections.abc import AsyncIterator, Iterator

import pytest
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord, TopicPartition

from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.process.settings import RuntimeSettings
from tests.integration.runtime.probe_service import INPUTS, OUTPUT, PARTITIONS, ProbeSender


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> Iterator[None]:
    """Log through the standard library, so that log lines do not mix with the output of commands."""
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.stdlib.render_to_log_kwargs],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    yield
    structlog.reset_defaults()


@pytest.fixture
def settings(bootstrap_servers: str, database_url: str, topic_prefix: str) -> RuntimeSettings:
    return RuntimeSettings(
        environment="test",
        kafka_bootstrap_servers=bootstrap_servers,
        database_url=database_url,
        topic_prefix=topic_prefix,
        clock_tolerance_ms=0,
        outbox_poll_ms=50,
        timer_poll_ms=50,
    )


@pytest.fixture
async def probe_settings(settings: RuntimeSettings) -> RuntimeSettings:
    """The settings; the topics of the probe service exist."""
    await apply_topics(settings, [*INPUTS, OUTPUT])
    return settings


@pytest.fixture
async def sender(probe_settings: RuntimeSettings) -> AsyncIterator[ProbeSender]:
    producer = AIOKafkaProducer(bootstrap_servers=probe_settings.kafka_bootstrap_servers)
    await producer.start()
    yield ProbeSender(producer, probe_settings.topic_prefix)
    await producer.stop()


async def read_topic(settings: RuntimeSettings, topic: str) -> list[ConsumerRecord]:
    """All records of a topic, sorted by partition and offset."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(f"{settings.topic_prefix}{topic}", number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        records: list[ConsumerRecord] = []
        while len(records) < sum(ends.values()):
            for batch in (await consumer.getmany(timeout_ms=1000)).values():
                records.extend(batch)
        return sorted(records, key=lambda r: (r.partition, r.offset))
    finally:
        await consumer.stop()
