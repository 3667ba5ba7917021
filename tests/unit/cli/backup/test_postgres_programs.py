"""A restore is prepared beside what is there, never over it, and each unusable folder is named."""

import json
from datetime import UTC, datetime
from hashlib import sha256
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
    with pytest.raises(Misconfigured, match=r"--base .*is no base backup"):
        prepare_restore(tmp_path, tmp_path, tmp_path / "data", None)


def test_absent_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"--wal .*is no folder"):
        prepare_restore(_base(tmp_path), tmp_path / "none", tmp_path / "data", None)


def test_nothing_is_restored_over_data(tmp_path: Path) -> None:
    base, data = _base(tmp_path), tmp_path / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("18", encoding="utf-8")
    with pytest.raises(Misconfigured, match=r"--to .*is not empty"):
        prepare_restore(base, tmp_path, data, None)
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def _whole_base(folder: Path) -> Path:
    base = folder / "base"
    (base / "global").mkdir(parents=True)
    (base / "global" / "1262").write_bytes(b"rows")
    entry = {"Path": "global/1262", "Size": 4, "Checksum-Algorithm": "SHA256", "Checksum": sha256(b"rows").hexdigest()}
    head = '{"PostgreSQL-Backup-Manifest-Version": 2,\n"Files": [' + json.dumps(entry) + "],\n"
    manifest = f'{head}"Manifest-Checksum": "{sha256(head.encode()).hexdigest()}"}}\n'
    (base / "backup_manifest").write_text(manifest, encoding="utf-8")
    return base


def test_whole_base_backup_is_copied_and_recovers_until_the_instant(tmp_path: Path) -> None:
    prepare_restore(_whole_base(tmp_path), tmp_path, tmp_path / "data", datetime(2026, 11, 28, 9, 30, tzinfo=UTC))
    settings = (tmp_path / "data" / "postgresql.auto.conf").read_text(encoding="utf-8")
    assert "recovery_target_time = '2026-11-28T09:30:00+00:00'" in settings
    assert (tmp_path / "data" / "recovery.signal").exists()


CHANGES: dict[str, tuple[str, bytes | None, str]] = {
    "a changed file": ("global/1262", b"rowz", "global/1262 was changed"),
    "a shorter file": ("global/1262", b"row", "global/1262 was changed"),
    "a missing file": ("global/1262", None, "global/1262 is missing"),
    "an edited manifest": ("backup_manifest", b'{"Files": [],\n"Manifest-Checksum": "00"}\n', "manifest was changed"),
    "no manifest": ("backup_manifest", b"nonsense", "manifest cannot be read"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_base_backup_is_refused_before_anything_is_copied(tmp_path: Path, change: str) -> None:
    base = _whole_base(tmp_path)
    name, content, fault = CHANGES[change]
    (base / name).unlink()
    if content is not None:
        (base / name).write_bytes(content)
    with pytest.raises(Unavailable, match=fault):
        prepare_restore(base, tmp_path, tmp_path / "data", None)
    assert not (tmp_path / "data").exists()


def test_base_backup_takes_a_new_folder_and_names_an_absent_server(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"--to .*is not empty"):
        take_base_backup("postgresql+asyncpg://jiesu@/postgres", _base(tmp_path))
    with pytest.raises(Unavailable, match="pg_basebackup failed"):
        take_base_backup(f"postgresql+asyncpg://jiesu@/postgres?host={tmp_path}", tmp_path / "new")
