"""Folders in memory, for data of servers that no test reads after its end."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")


def parent_in_memory(otherwise: Path, free: int = 2 * 2**30) -> Path:
    """The file system in memory where `free` bytes are left on it, else the other folder: a container may have 64 MB of it."""
    try:
        return MEMORY if shutil.disk_usage(MEMORY).free > free and _available() > 2 * free else otherwise
    except OSError:  # no Linux, or none mounted
        return otherwise


@contextmanager
def temporary_folder(otherwise: Path) -> Iterator[Path]:
    """A folder for the length of a block, in memory where there is room."""
    with tempfile.TemporaryDirectory(prefix="jiesu-test-", dir=parent_in_memory(otherwise), ignore_cleanup_errors=True) as name:
        yield Path(name)


def _available() -> int:
    """Bytes of memory that processes may still take."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
