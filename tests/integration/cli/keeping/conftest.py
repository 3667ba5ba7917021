"""The four services on the session's servers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.cli.keeping.four_services import FourServices, command_environment, open_services, services_settings
from tests.support.messaging.settings import SettingsFactory


@pytest.fixture
async def services(make_settings: SettingsFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[FourServices]:
    settings = services_settings(make_settings, tmp_path)
    for variable, value in command_environment(settings).items():
        monkeypatch.setenv(variable, value)
    async with open_services(make_settings, settings) as running:
        yield running
