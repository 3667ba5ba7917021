"""A restore is prepared beside what is there, never over it, and each unusable folder is named."""

from pathlib import Path

import pytest

from cli.backup.postgres_programs import prepare_restore, take_base_backup
from shared.runtime.errors import Misconfigured, Unavailable


def _base(folder: Path) -> Path:
    base = folder / "base"
    base.mkdir()
    (base / "backup_manifest").write_text("no manifest", encoding="utf-8")
    return base


def test_folder_that_is_no_base_backup_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="--base .*is no base backup"):
        prepare_restore(tmp_path, tmp_path, tmp_path / "data", None)


def test_absent_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="--wal .*is no folder"):
        prepare_restore(_base(tmp_path), tmp_path / "none", tmp_path / "data", None)


def test_nothing_is_restored_over_data(tmp_path: Path) -> None:
    base, data = _base(tmp_path), tmp_path / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("18", encoding="utf-8")
    with pytest.raises(Misconfigured, match="--to .*is not empty"):
        prepare_restore(base, tmp_path, data, None)
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_changed_base_backup_is_refused_before_anything_is_copied(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="pg_verifybackup failed"):
        prepare_restore(_base(tmp_path), tmp_path, tmp_path / "data", None)
    assert not (tmp_path / "data").exists()


def test_base_backup_takes_a_new_folder_and_names_an_absent_server(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="--to .*is not empty"):
        take_base_backup("postgresql+asyncpg://jiesu@/postgres", _base(tmp_path))
    with pytest.raises(Unavailable, match="pg_basebackup failed"):
        take_base_backup(f"postgresql+asyncpg://jiesu@/postgres?host={tmp_path}", tmp_path / "new")
