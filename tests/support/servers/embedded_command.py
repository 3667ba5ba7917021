"""Runs `python -m deploy.embedded` as a separate process, for tests that kill it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from deploy.embedded.process import find_orphans
from tests.support.repository import PROJECT


class EmbeddedCommand:
    """A process that runs the embedded servers on `root`; both are ready when the constructor returns."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        environment = {name: value for name, value in os.environ.items() if name not in {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"}}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.embedded", str(root)],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        lines = [self.process.stdout.readline() for _ in range(2)]
        self.exports: dict[str, str] = dict(re.findall(r"export (\w+)='(.*)'", "".join(lines)))

    @property
    def bootstrap_servers(self) -> str:
        return self.exports["KAFKA_BOOTSTRAP_SERVERS"]

    @property
    def database_url(self) -> str:
        return self.exports["DATABASE_URL"]

    def server_pids(self) -> list[int]:
        """Ids of all server processes on this root, also those of other commands."""
        kafka = find_orphans("kafka.Kafka", str(self.root / "kafka" / "server.properties"))
        return kafka + find_orphans("-D", str(self.root / "postgres" / "data"))

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def terminate(self) -> tuple[int, str]:
        """Send SIGTERM; return the exit status and the progress lines."""
        self.process.send_signal(signal.SIGTERM)
        _, progress = self.process.communicate(timeout=30)
        return self.process.returncode, progress

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.terminate()
