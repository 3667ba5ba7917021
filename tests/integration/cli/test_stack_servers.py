"""The servers of a `jiesu` command: SIGTERM ends them like Ctrl-C, a failure is one sentence."""

import os
import signal
from pathlib import Path

import pytest
from click import ClickException

from cli.stack.servers import running_servers
from deploy.embedded import EmbeddedServerError, EmbeddedServers


@pytest.fixture(autouse=True)
def ours_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@db.example/unused")


def test_sigterm_stops_the_servers_and_gives_the_signal_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[EmbeddedServers] = []

    def command() -> None:
        with running_servers(tmp_path, print) as servers:
            seen.append(servers)
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        command()
    assert seen[0].kafka
    assert not seen[0].kafka.process.running
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_server_that_cannot_be_had_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: EmbeddedServers) -> EmbeddedServers:
        raise EmbeddedServerError("Java is missing: install it.")

    monkeypatch.setattr(EmbeddedServers, "start", refuse)
    with pytest.raises(ClickException, match=r"^Java is missing: install it\.$"), running_servers(tmp_path, print):
        raise AssertionError("nothing may start here")
