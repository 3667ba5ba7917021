"""The servers behind `jiesu demo` and `jiesu up`: the user's own or embedded ones, for as long as a command runs."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from click import ClickException

from deploy.embedded import EmbeddedServerError, EmbeddedServers


@contextmanager
def running_servers(root: Path, progress: Callable[[str], None]) -> Iterator[EmbeddedServers]:
    """Start Kafka and PostgreSQL with data below `root`; both stop with the block, which SIGTERM ends like Ctrl-C.

    Raises `ClickException`, one sentence with the remedy, when a server cannot be had.
    """
    before = signal.signal(signal.SIGTERM, _interrupt)
    servers = EmbeddedServers(root, progress=progress)
    try:
        try:
            servers.start()
        except EmbeddedServerError as error:
            raise ClickException(str(error)) from error
        yield servers
    finally:
        servers.stop()
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
