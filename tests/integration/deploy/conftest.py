"""promtool, which checks rules and names of metrics."""

from pathlib import Path

import pytest

from tests.support.monitoring.programs import program


@pytest.fixture(scope="session")
def promtool() -> Path:
    return program("promtool")
