"""Fixtures for every test: real servers, a new database, settings and a topic prefix. A server that cannot start fails the test."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from deploy.embedded import EmbeddedServers
from shared.runtime.process.settings import RuntimeSettings
from tests.support.messaging.settings import SettingsFactory
from tests.support.messaging.topic_client import TopicClient, open_topic_client
from tests.support.servers.databases import Databases
from tests.support.servers.session_servers import print_progress, session_servers, temporary_folder
from tests.support.servers.topics import Topics, fresh_prefix

LONGEST = "tests/e2e/test_faults.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest file first: as the last one it ran for three minutes while the other worker had nothing left to do."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="session")
def servers() -> Iterator[EmbeddedServers]:
    """Kafka and PostgreSQL for the whole session: do not stop or kill them; `own_servers` are for that."""
    with session_servers() as running:
        yield running


@pytest.fixture(scope="session")
async def databases(servers: EmbeddedServers) -> Databases:
    """Creates databases; drops those of earlier runs first."""
    databases = Databases(servers.database_url, copy_files=servers.postgres is not None)
    await databases.drop_left_over()
    return databases


@pytest.fixture(scope="session")
async def topics(servers: EmbeddedServers) -> Topics:
    """Creates topics; deletes those of earlier runs first."""
    topics = Topics(servers.bootstrap_servers)
    await topics.drop_left_over()
    return topics


@pytest.fixture(scope="session")
def bootstrap_servers(servers: EmbeddedServers) -> str:
    """Kafka's address."""
    return servers.bootstrap_servers


@pytest.fixture
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """The SQLAlchemy URL of a migrated database for one test; dropped afterwards."""
    url = await databases.create_migrated()
    yield url
    await databases.drop(url)


@pytest.fixture
async def empty_database_url(databases: Databases) -> AsyncIterator[str]:
    """The SQLAlchemy URL of an empty database; dropped afterwards."""
    url = await databases.create()
    yield url
    await databases.drop(url)


@pytest.fixture
async def topic_prefix(topics: Topics) -> AsyncIterator[str]:
    """A prefix for the topics and consumer groups of one test; `topics.create(f"{topic_prefix}x")` creates a topic."""
    prefix = fresh_prefix()
    yield prefix
    # With 20,000 partitions the broker of a whole run had no file descriptors left.
    await topics.drop(prefix)


@pytest.fixture
def make_settings(bootstrap_servers: str, database_url: str, topic_prefix: str) -> SettingsFactory:
    """`make_settings(SlaSettings, organisation=...)`: settings of a service for the test's database and topics."""
    return SettingsFactory(bootstrap_servers, database_url, topic_prefix)


@pytest.fixture
async def topic_client(bootstrap_servers: str, topic_prefix: str) -> AsyncIterator[TopicClient]:
    """Publishes to and reads from the test's topics."""
    settings = RuntimeSettings(environment="test", kafka_bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix)
    async with open_topic_client(settings) as client:
        yield client


@pytest.fixture
def own_servers(tmp_path: Path) -> Iterator[Callable[..., EmbeddedServers]]:
    """Start servers that the test may kill, freeze and restart: `own_servers(postgres=False)`, keywords of `EmbeddedServers`."""
    started: list[EmbeddedServers] = []
    with temporary_folder(tmp_path) as folder:

        def start(root: Path = folder, **options: object) -> EmbeddedServers:
            started.append(EmbeddedServers(root, progress=print_progress, **options).start())  # type: ignore[arg-type]
            return started[-1]

        yield start
        for running in started:
            running.stop()
