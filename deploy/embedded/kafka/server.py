"""Runs one KRaft node of Apache Kafka on loopback ports, with its data in a directory."""

import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.errors import EmbeddedServerError
from deploy.embedded.kafka.readiness import broker_is_ready
from deploy.embedded.ports import free_ports
from deploy.embedded.process import ManagedProcess, stop_orphans, wait_until

MAIN_CLASS = "kafka.Kafka"
CLUSTER = "amllc3UtZW1iZWRkZWQtMQ"
READY_SECONDS = 60.0
"""Limit of a start. It takes about one second on an idle machine, two more after a SIGKILL."""

PROPERTIES: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "CLIENTS",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    # By default the first rebalance of a group waits 3 s for further members.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # A misspelt topic would appear with one partition.
    "auto.create.topics.enable": "false",
    "log.message.timestamp.type": "LogAppendTime",
    # After a SIGKILL the old registration has to expire before the restarted node serves: 2.7 s instead of 10.7 s.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    # The default, 128 MB, is half of the broker's heap.
    "log.cleaner.dedupe.buffer.size": "4194304",
    # The default keeps the open files of a deleted topic for a minute.
    "log.segment.delete.delay.ms": "1000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
}


@dataclass(frozen=True)
class JavaRuntime:
    """The path of Java, the jars of the class path in order, and flags for the virtual machine."""

    java: str
    jars: Sequence[Path]
    flags: Sequence[str] = ()

    def command(self, main: str, *arguments: str) -> list[str]:
        """Return the command line that runs the class `main`."""
        return [self.java, *self.flags, "-cp", ":".join(map(str, self.jars)), main, *arguments]


class KafkaServer:
    """A single Kafka node with its data in `root`; its ports stay the same across restarts of this object."""

    def __init__(
        self,
        root: Path,
        runtime: JavaRuntime,
        properties: Mapping[str, str] | None = None,
        ports: tuple[int, int] | None = None,
        users: Mapping[str, str] | None = None,
    ) -> None:
        """`ports` are those of clients and of the controller, by default two free ones; `users` passwords for SCRAM-SHA-512 by name."""
        self.root = root
        self.process = ManagedProcess("Kafka", root / "kafka.log", signal.SIGTERM)
        self._runtime = runtime
        self._extra_properties = properties or {}
        self._properties_file = root / "server.properties"
        self._ports = list(ports or ())
        self._users = users or {}

    @property
    def bootstrap_servers(self) -> str:
        """Host and port for clients; known after `launch`."""
        return f"127.0.0.1:{self._ports[0]}"

    def launch(self) -> None:
        """Start the node without waiting until it is ready; a node of an earlier run on the same data is stopped first."""
        self.root.mkdir(parents=True, exist_ok=True)
        stop_orphans(MAIN_CLASS, str(self._properties_file), stop_signal=signal.SIGTERM)
        self._clear_temporary()
        self._ports = self._ports or free_ports(2)
        self._properties_file.write_text("".join(f"{key}={value}\n" for key, value in self._properties().items()))
        if not (self.root / "data" / "meta.properties").exists():
            self._format()
        self.process.start(self._runtime.command(MAIN_CLASS, str(self._properties_file)))

    def delete_data(self) -> None:
        """Delete all topics; call before `launch`. After two test runs the topics were too many for a broker of 256 MB."""
        stop_orphans(MAIN_CLASS, str(self._properties_file), stop_signal=signal.SIGTERM)
        shutil.rmtree(self.root / "data", ignore_errors=True)

    def wait_ready(self) -> None:
        """Return when consumer groups work; raises EmbeddedServerError with the end of the broker's log if they do not."""
        ended_or_ready = wait_until(lambda: not self.process.running or broker_is_ready(self.bootstrap_servers), READY_SECONDS)
        if not ended_or_ready or not self.process.running:
            self.process.stop()
            raise EmbeddedServerError(f"Kafka does not start; {self.process.log} ends with:\n{self.process.log_tail()}")

    def start(self) -> None:
        """Launch the node and wait until it is ready."""
        self.launch()
        self.wait_ready()

    def stop(self) -> None:
        """Stop the node cleanly; its data stay."""
        self.process.stop()

    def kill(self) -> None:
        """Send SIGKILL; `start` restarts the node on the same port."""
        self.process.kill()

    def _properties(self) -> dict[str, str]:
        clients, controller = self._ports
        return {
            **PROPERTIES,
            "listeners": f"CLIENTS://127.0.0.1:{clients},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"CLIENTS://127.0.0.1:{clients}",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "log.dirs": _escape(self.root / "data"),
            **self._extra_properties,
        }

    def _format(self) -> None:
        arguments = ["format", "--ignore-formatted", "-t", CLUSTER, "-c", str(self._properties_file)]
        # Before the first start: the broker's own users must exist before it can be asked to add others.
        for user, password in self._users.items():
            arguments += ["--add-scram", f"SCRAM-SHA-512=[name={user},password={password}]"]
        result = subprocess.run(
            self._runtime.command("kafka.tools.StorageTool", *arguments),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if result.returncode:
            raise EmbeddedServerError(f"Kafka cannot use {self.root}: {(result.stderr or result.stdout).strip()}")

    def _clear_temporary(self) -> None:
        """Delete the native libraries that a killed node left unpacked."""
        temporary = self.root / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()


def _escape(path: Path) -> str:
    """Escape a path for a Java properties file, which is ISO 8859-1 and takes backslashes as escapes."""
    return "".join(char if char.isascii() and char != "\\" else f"\\u{ord(char):04x}" for char in str(path))
