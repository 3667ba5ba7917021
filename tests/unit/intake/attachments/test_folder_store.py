"""The folder of contents keeps names through a stop of the machine, and no files of processes that were killed."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.intake.attachments import blobs, incoming
from services.intake.attachments.blobs import FolderBlobs

DIGEST = "ab" + "0" * 62
NOW = datetime(2026, 11, 9, tzinfo=UTC)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What was synced, in this order."""
    paths: list[Path] = []
    monkeypatch.setattr(blobs, "_sync", paths.append)
    return paths


def age(path: Path, old: timedelta) -> Path:
    instant = (NOW - old).timestamp()
    os.utime(path, (instant, instant), follow_symlinks=False)
    return path


def test_new_folders_are_synced_to_the_first_that_was_there(tmp_path: Path, synced: list[Path]) -> None:
    FolderBlobs(tmp_path / "data" / "store")
    assert synced == [tmp_path / "data" / "store", tmp_path / "data", tmp_path]
    FolderBlobs(tmp_path / "data" / "store")
    assert len(synced) == 3


async def test_content_is_synced_with_its_name_and_that_of_its_folder(tmp_path: Path, synced: list[Path]) -> None:
    store = FolderBlobs(tmp_path)
    for _ in range(2):
        synced.clear()
        with incoming.new_file(store.incoming) as file:
            file.write(b"content")
        await store.put(DIGEST, Path(file.name))
        assert synced == [Path(file.name), tmp_path / "ab", tmp_path]


def test_only_files_that_a_kill_left_are_deleted(tmp_path: Path) -> None:
    for old in (timedelta(hours=25), timedelta(hours=23)):
        with incoming.new_file(tmp_path) as file:
            age(Path(file.name), old)
    others = tmp_path / "of-others"
    others.touch()
    age(others, timedelta(days=400))
    (tmp_path / f"{incoming.PREFIX}link").symlink_to(others)
    age(tmp_path / f"{incoming.PREFIX}link", timedelta(days=400))
    (tmp_path / f"{incoming.PREFIX}folder").mkdir()
    age(tmp_path / f"{incoming.PREFIX}folder", timedelta(days=400))
    before = set(tmp_path.iterdir())
    assert incoming.delete_left_files(tmp_path, NOW) == 1
    left = before - set(tmp_path.iterdir())
    assert len(left) == 1
    assert not left & {others}
    assert incoming.delete_left_files(tmp_path, NOW) == 0
