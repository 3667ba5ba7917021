"""promtool, which checks rules and names of metrics."""

from pathlib import Path

import pytest

from tests.support.promtool import find_promtool


@pytest.fixture(scope="session")
def promtool() -> Path:
    found = find_promtool()
    if found is None:
        pytest.skip("promtool is neither installed nor can it be taken from Debian's package prometheus (needs root on Debian)")
    return found
