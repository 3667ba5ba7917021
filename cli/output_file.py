"""The file of an option such as `--out`: a path that cannot be written ends the command with one line."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from cli.exit_status import exit_with

_REMEDY = "give a path in a folder that exists and that you may write to"


def require_folder(out: Path | None, option: str = "--out") -> None:
    """End the command if the folder of the file does not exist."""
    # At the start: a form that is registered as issued and cannot be written would be a number without paper.
    if out is not None and not out.parent.is_dir():
        exit_with(f"{option}: the folder does not exist; {_REMEDY}")


@contextmanager
def writing_out(option: str = "--out") -> Iterator[None]:
    """End the command if the file of the option cannot be written."""
    try:
        yield
    except OSError as error:
        exit_with(f"{option}: cannot be written ({error.strerror}); {_REMEDY}")


def open_lines(path: Path, mode: str) -> IO[bytes]:
    """A file of lines, `rb` or `wb`; compressed where its name ends with .gz."""
    return cast("IO[bytes]", gzip.open(path, mode) if path.suffix == ".gz" else path.open(mode))
