"""The services on the session's servers, started once: a start of all takes seconds."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.cli.keeping.running_services import RunningServices, command_environment, open_services, services_settings
from tests.support.messaging.settings import SettingsFactory
from tests.support.servers.databases import Databases
from tests.support.servers.topics import Topics, fresh_prefix


@pytest.fixture(scope="package")
async def services(
    bootstrap_servers: str, databases: Databases, topics: Topics, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningServices]:
    url, prefix = await databases.create_migrated(), fresh_prefix()
    make_settings = SettingsFactory(bootstrap_servers, url, prefix)
    settings = services_settings(make_settings, tmp_path_factory.mktemp("keeping"))
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in command_environment(settings).items():
            patch.setenv(variable, value)
        async with open_services(make_settings, settings) as running:
            yield running
    await topics.drop(prefix)
    await databases.drop(url)
