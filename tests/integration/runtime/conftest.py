"""Settings, topics and a sender for the runtime's tests with real Kafka and PostgreSQL."""

from collections.abc import AsyncIterator, Iterator

import pytest
import structlog

from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.process.settings import RuntimeSettings
from tests.integration.runtime.probe_service import INPUTS, OUTPUT, ProbeSender, open_probe_sender
from tests.support.messaging.settings import SettingsFactory


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
def settings(make_settings: SettingsFactory) -> RuntimeSettings:
    return make_settings(RuntimeSettings)


@pytest.fixture
async def probe_settings(settings: RuntimeSettings) -> RuntimeSettings:
    """The settings; the topics of the probe service exist."""
    await apply_topics(settings, [*INPUTS, OUTPUT])
    return settings


@pytest.fixture
async def sender(probe_settings: RuntimeSettings) -> AsyncIterator[ProbeSender]:
    async with open_probe_sender(probe_settings) as sender:
        yield sender
