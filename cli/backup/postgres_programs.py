"""Runs PostgreSQL's own programs: base backup, its verification, and the preparation of a restore to a point in time."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

from cli.backup.manifest import verify_base_backup
from deploy.embedded import EmbeddedServerError
from deploy.embedded.postgres.server import find_installation
from shared.runtime.errors import Misconfigured, Unavailable


@dataclass(frozen=True, slots=True)
class BaseBackup:
    """A verified base backup: its folder and bytes."""

    folder: Path
    size: int


def take_base_backup(database_url: str, folder: Path) -> BaseBackup:
    """Copy the whole server into a new folder and verify the copy; raises `Misconfigured` for the folder, `Unavailable` for the server."""
    if folder.exists() and any(folder.iterdir()):
        raise Misconfigured(f"--to {folder}: is not empty; a base backup needs a folder of its own")
    # With the WAL of the copy itself, so that it can be restored without the archive too.
    options = ["--wal-method=stream", "--checkpoint=fast", "--manifest-checksums=SHA256", "--no-sync"]
    _run("pg_basebackup", ["-d", _libpq_url(database_url), "-D", str(folder), *options])
    verify_base_backup(folder)
    return BaseBackup(folder, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))


def prepare_restore(base: Path, archive: Path, data: Path, until: datetime | None) -> None:
    """Copy a base backup to a new data folder that recovers from the WAL archive once a server starts on it.

    Recovery ends at `until`, or at the end of the archive. Raises `Misconfigured` for folders that cannot be used.
    """
    if not (base / "backup_manifest").exists():
        raise Misconfigured(f"--base {base}: is no base backup; name a folder that `jiesu backup base` wrote")
    if not archive.is_dir():
        raise Misconfigured(f"--wal {archive}: is no folder; name the one that archive_command copies to")
    if data.exists() and any(data.iterdir()):
        raise Misconfigured(f"--to {data}: is not empty; never restore over data")
    verify_base_backup(base)
    shutil.copytree(base, data, dirs_exist_ok=True)
    data.chmod(0o700)
    settings = [f'restore_command = \'cp "{archive.resolve()}/%f" "%p"\'', "archive_mode = 'off'"]
    if until is not None:
        settings += [f"recovery_target_time = '{until.isoformat()}'", "recovery_target_action = 'promote'"]
    with (data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in settings)
    (data / "recovery.signal").touch()


def _run(program: str, arguments: list[str]) -> None:
    result = subprocess.run([_find(program), *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - no shell
    if result.returncode:
        # What the program says of its cleaning up comes after the reason.
        lines = [line for line in result.stderr.splitlines() if "error:" in line] or [f"exit status {result.returncode}"]
        raise Unavailable(f"{program} failed: {lines[0].partition('error: ')[2] or lines[0]}")


def _find(program: str) -> str:
    """The embedded server's program, else that of the PATH."""
    # A client copies from servers of its version and of older ones, never from newer ones, and systems often have an old one.
    with suppress(EmbeddedServerError):
        return str(find_installation() / "bin" / program)
    if found := shutil.which(program):
        return found
    raise Misconfigured(f"{program} is not on the PATH: install PostgreSQL's client programs, of the server's version or newer")


def _libpq_url(url: str) -> str:
    """The URL as libpq takes it: without a driver, and with TLS under its own name."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    words = [f"{'sslmode' if name == 'ssl' else name}={value}" for name, values in query.items() for value in values]
    return urlunsplit(("postgresql", parts.netloc, parts.path, "&".join(words), ""))
