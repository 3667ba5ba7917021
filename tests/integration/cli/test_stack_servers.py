"""The servers of a `jiesu` command: SIGTERM stops them as Ctrl-C does, and a failure is reported in one sentence."""

import os
import signal
from pathlib import Path

import pytest
from click import ClickException

from cli.stack.servers import running_servers
from deploy.embedded import EmbeddedServerError, EmbeddedServers


@pytest.fixture(autouse=True)
def embedded_kafka_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@db.example/unused")


def test_sigterm_stops_the_servers_and_restores_the_signal_handler(tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGTERM)
    started: list[EmbeddedServers] = []

    def command() -> None:
        with running_servers(tmp_path, print) as servers:
            started.append(servers)
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        command()
    assert started[0].kafka
    assert not started[0].kafka.process.running
    assert signal.getsignal(signal.SIGTERM) is handler


def test_server_that_cannot_start_is_reported_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: EmbeddedServers) -> EmbeddedServers:
        raise EmbeddedServerError("Java is missing: install it.")

    monkeypatch.setattr(EmbeddedServers, "start", fail)
    with pytest.raises(ClickException, match=r"^Java is missing: install it\.$"), running_servers(tmp_path, print):
        raise AssertionError("nothing may start here")
