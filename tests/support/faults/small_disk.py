"""A small file system for PostgreSQL's write-ahead log, which can be filled up; needs root and a kernel that lets it mount."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.postgres.server import PostgresServer

MEGABYTES = 384
SETTINGS = {"max_wal_size": "128MB", "min_wal_size": "32MB", "wal_recycle": "off"}
"""Without recycled segments each new one needs space, so that a full disk is noticed within a segment (16 MB)."""
_FILLER = "filler"


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """The folder on which it is mounted."""

    folder: Path

    def fill(self) -> None:
        """Leave no space; does nothing where there is none already."""
        free = os.statvfs(self.folder)
        with (self.folder / _FILLER).open("wb") as filler:
            if size := free.f_bavail * free.f_frsize:
                os.posix_fallocate(filler.fileno(), 0, size)

    def clear(self) -> None:
        """Give the space back."""
        (self.folder / _FILLER).unlink(missing_ok=True)


def can_mount(folder: Path) -> bool:
    """Whether this process may mount a file system."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() or _run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)):
        return False
    return not _run("umount", str(folder))


@contextmanager
def write_ahead_log_on_small_disk(server: PostgresServer, data: Path) -> Iterator[SmallDisk]:
    """Move the write-ahead log of a running server with its data in `data`; the server must be stopped when the block ends."""
    server.process.stop()
    log = data / "pg_wal"
    owner = log.stat()
    aside = log.with_name("pg_wal.aside")
    shutil.move(log, aside)
    log.mkdir(mode=0o700)
    options = f"size={MEGABYTES}m,mode=700,uid={owner.st_uid},gid={owner.st_gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(log)], check=True)
    try:
        subprocess.run(["cp", "-a", f"{aside}/.", str(log)], check=True)
        shutil.rmtree(aside)
        server.start()
        yield SmallDisk(log)
    finally:
        server.stop()
        subprocess.run(["umount", str(log)], check=True)


def _run(*command: str) -> int:
    return subprocess.run(command, check=False, capture_output=True).returncode
