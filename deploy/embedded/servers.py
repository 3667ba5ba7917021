"""The servers that a command needs: the user's own where the environment names them, otherwise ours."""

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
    """A Kafka and a PostgreSQL for as long as a `with` block lasts.

    `root` holds their data and survives; two live instances need two roots. `KAFKA_BOOTSTRAP_SERVERS` and `DATABASE_URL`
    replace ours by existing servers, which are neither started nor stopped. `kafka_properties` and `postgres_settings` are added to
    ours. `fresh` throws away the topics of earlier runs. `patience` is how many seconds to wait for an earlier command on the same
    root to finish.

    The servers stop with the block, and with the process however that ends; start them from the main thread, or from one
    that lives as long as they shall. They listen on loopback ports and a private socket only.
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
    ) -> None:
        self.root = root.resolve()
        self.kafka: KafkaServer | None = None
        self.postgres: PostgresServer | None = None
        self._bootstrap = os.environ.get("KAFKA_BOOTSTRAP_SERVERS") if kafka else None
        self._database = os.environ.get("DATABASE_URL") if postgres else None
        self._wants_kafka = kafka and not self._bootstrap
        self._wants_postgres = postgres and not self._database
        self._fresh = discard_topics
        self._progress = progress
        self._kafka_properties = kafka_properties
        self._postgres_settings = postgres_settings
        self._patience = lock_timeout
        self._stack = ExitStack()

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's `host:port`, ours or the user's."""
        return self.kafka.bootstrap_servers if self.kafka else self._bootstrap or ""

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL (driver asyncpg), ours or the user's."""
        return self.postgres.database_url if self.postgres else asyncpg_url(self._database or "")

    @property
    def environment(self) -> dict[str, str]:
        """What to add to a child's environment so that it uses these servers."""
        pairs = {"KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers, "DATABASE_URL": self.database_url}
        return {name: value for name, value in pairs.items() if value}

    def start(self) -> Self:
        """Start what is needed, both at once, and return when both are ready.

        Raises `RootInUseError` when another command has this root, `EmbeddedServerError` when a server cannot be had.
        """
        if not (self._wants_kafka or self._wants_postgres):
            return self
        prepare_data_folder(self.root)
        with ExitStack() as stack:
            lock = DirectoryLock(self.root / "lock")
            lock.acquire(self._patience)
            stack.callback(lock.release)
            self._launch(stack)
            self._stack = stack.pop_all()
        return self

    def stop(self) -> None:
        """Stop what was started; the data stay under `root`."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _launch(self, stack: ExitStack) -> None:
        if self._wants_kafka:
            self.kafka = self._broker()
            self._progress("Starting Apache Kafka …")
            if self._fresh:
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

    def _broker(self) -> KafkaServer:
        home = self.root / "kafka"
        runtime = kafka_runtime(home / "tmp", self._progress)
        return KafkaServer(home, runtime, self._kafka_properties)


def asyncpg_url(url: str) -> str:
    """Return `url` with the asyncpg driver that we use, whatever way PostgreSQL was spelt."""
    scheme, mark, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}" if mark and scheme.split("+")[0] in {"postgres", "postgresql"} else url
