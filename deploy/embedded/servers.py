"""The servers of a command: those that the environment names, otherwise embedded ones."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.embedded.data_folder import prepare_data_folder
from deploy.embedded.errors import ProgressCallback
from deploy.embedded.kafka.server import KafkaServer
from deploy.embedded.locks import DirectoryLock
from deploy.embedded.postgres.server import PostgresServer
from deploy.embedded.prepare import kafka_runtime


def no_progress(_line: str) -> None:
    """Show no progress."""


class EmbeddedServers:
    """Kafka and PostgreSQL for the length of a `with` block.

    Their data stay in `root`; two instances that run at once need two roots. `KAFKA_BOOTSTRAP_SERVERS` and `DATABASE_URL` name
    existing servers to use instead, which are neither started nor stopped. `kafka_properties` and `postgres_settings` are added to
    the defaults. `kafka_ports` are the broker's and the controller's, else any free ones; `kafka_users` are passwords by name.
    `discard_topics` deletes the topics of earlier runs. `lock_timeout` is how many seconds to wait for another command on the same
    root to end.

    The servers stop with the block or when the process ends in any way; start them from the main thread or from one that outlives
    them. They listen only on loopback ports and on a private socket.
    """

    def __init__(
        self,
        root: Path,
        *,
        kafka: bool = True,
        postgres: bool = True,
        discard_topics: bool = False,
        progress: ProgressCallback = no_progress,
        kafka_properties: Mapping[str, str] | None = None,
        postgres_settings: Mapping[str, str] | None = None,
        lock_timeout: float = 10.0,
        kafka_ports: tuple[int, int] | None = None,
        kafka_users: Mapping[str, str] | None = None,
    ) -> None:
        self.root = root.resolve()
        self.kafka: KafkaServer | None = None
        self.postgres: PostgresServer | None = None
        self._bootstrap = os.environ.get("KAFKA_BOOTSTRAP_SERVERS") if kafka else None
        self._database = os.environ.get("DATABASE_URL") if postgres else None
        self._wants_kafka = kafka and not self._bootstrap
        self._wants_postgres = postgres and not self._database
        self._discard_topics = discard_topics
        self._progress = progress
        self._kafka_properties = kafka_properties
        self._postgres_settings = postgres_settings
        self._lock_timeout = lock_timeout
        self._kafka_ports = kafka_ports
        self._kafka_users = kafka_users
        self._stack = ExitStack()

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's `host:port`."""
        return self.kafka.bootstrap_servers if self.kafka else self._bootstrap or ""

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL with the asyncpg driver."""
        return self.postgres.database_url if self.postgres else asyncpg_url(self._database or "")

    @property
    def environment(self) -> dict[str, str]:
        """Variables for a child process, so that it uses these servers."""
        pairs = {"KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers, "DATABASE_URL": self.database_url}
        return {name: value for name, value in pairs.items() if value}

    def start(self) -> Self:
        """Start the embedded servers, both at once, and return when both are ready.

        Raises RootInUseError if another command uses this root, EmbeddedServerError if a server does not start.
        """
        if not (self._wants_kafka or self._wants_postgres):
            return self
        prepare_data_folder(self.root)
        with ExitStack() as stack:
            lock = DirectoryLock(self.root / "lock")
            lock.acquire(self._lock_timeout)
            stack.callback(lock.release)
            self._launch(stack)
            self._stack = stack.pop_all()
        return self

    def stop(self) -> None:
        """Stop the embedded servers; their data stay in `root`."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _launch(self, stack: ExitStack) -> None:
        if self._wants_kafka:
            self.kafka = self._create_kafka()
            self._progress("Starting Apache Kafka …")
            if self._discard_topics:
                self.kafka.delete_data()
            stack.callback(self.kafka.stop)
            self.kafka.launch()
        if self._wants_postgres:
            self.postgres = PostgresServer(self.root / "postgres", self._postgres_settings)
            self._progress("Starting PostgreSQL …")
            stack.callback(self.postgres.stop)
            self.postgres.start()
        if self.kafka:
            self.kafka.wait_ready()

    def _create_kafka(self) -> KafkaServer:
        folder = self.root / "kafka"
        runtime = kafka_runtime(folder / "tmp", self._progress)
        return KafkaServer(folder, runtime, self._kafka_properties, self._kafka_ports, self._kafka_users)


def asyncpg_url(url: str) -> str:
    """Return a URL of PostgreSQL with the asyncpg driver: it may begin with `postgres`, `postgresql` or name another driver."""
    scheme, mark, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}" if mark and scheme.split("+")[0] in {"postgres", "postgresql"} else url
