"""promtool, which checks rules and names of metrics."""

from pathlib import Path

import pytest

from tests.support.servers.monitoring_programs import program


@pytest.fixture(scope="session")
def promtool() -> Path:
    return program("promtool")
