"""File locks between commands; the kernel releases them when their process ends in any way."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.embedded.errors import ProgressCallback, RootInUseError
from deploy.embedded.process import wait_until


class DirectoryLock:
    """An exclusive lock on a directory, held by at most one process; the lock file contains its process id."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self, seconds: float = 0) -> None:
        """Take the lock, waiting up to `seconds`; raises RootInUseError naming the process that holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if not wait_until(lambda: _try_lock(handle), seconds):
            owner = os.read(handle, 20).decode() or "unknown"
            os.close(handle)
            raise RootInUseError(f"{self._path.parent} is in use by process {owner}: wait for it or stop it.")
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        self._handle = handle

    def release(self) -> None:
        """Release the lock if it is held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


@contextmanager
def exclusive_lock(path: Path, progress: ProgressCallback, waiting_message: str) -> Iterator[None]:
    """Hold the lock at `path`; while another process holds it, show `waiting_message` once and wait up to 15 minutes."""
    lock = DirectoryLock(path)
    try:
        lock.acquire()
    except RootInUseError:
        progress(waiting_message)
        lock.acquire(900)
    try:
        yield
    finally:
        lock.release()


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
