"""The files of contents that are being received: made, and deleted where a process was killed before it deleted its own."""

import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

PREFIX = "jiesu-incoming-"
"""Begins the name of each: the folder may hold files of others, as that for temporary files does."""
LONGEST_RECEIPT = timedelta(days=1)
"""No content takes so long to arrive and to be scanned."""


def new_file(folder: Path) -> IO[bytes]:
    """An empty file in the folder; the caller deletes or moves it."""
    return tempfile.NamedTemporaryFile(dir=folder, prefix=PREFIX, delete=False)


def delete_left_files(folder: Path, now: datetime) -> int:
    """Delete files to which nothing was written within `LONGEST_RECEIPT`; returns how many."""
    before, deleted = (now - LONGEST_RECEIPT).timestamp(), 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and _is_left(entry, before):
                Path(entry.path).unlink(missing_ok=True)
                deleted += 1
    return deleted


def _is_left(entry: os.DirEntry[str], before: float) -> bool:
    try:
        status = entry.stat(follow_symlinks=False)
        is_file = entry.is_file(follow_symlinks=False)
    except FileNotFoundError:
        return False  # another process has deleted or moved it
    return is_file and status.st_uid == os.getuid() and status.st_mtime < before
