"""The old version's files, once a session."""

from pathlib import Path

import pytest

from tests.support.upgrades.old_version import extract_old_version


@pytest.fixture(scope="session")
def old_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the packages of the version before operations."""
    return extract_old_version(tmp_path_factory.mktemp("old-version"))
