"""Sinks that cannot run end with status 1 and one line, which ends the command that started them."""

import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click import ClickException

from cli.demo.channels import demo_channels
from cli.service_names import SERVICES
from cli.stack.stack import Stack, wait_listening
from deploy.embedded.process import ManagedProcess


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("sink", ["smtp", "sms"])
def test_a_port_in_use_ends_the_stack_with_one_line(sink: str, taken_port: int, tmp_path: Path) -> None:
    stack = Stack(tmp_path, {}, {**dict.fromkeys(SERVICES, 1), "smtp": 0, "sms": 0, sink: taken_port})
    stack.start("sinks")
    with pytest.raises(ClickException, match=r"(?i)^sinks: .*address already in use.*; give another --smtp-port, --sms-port or --folder$"):
        stack.wait_ready()


def test_a_port_in_use_by_another_program_ends_the_demo_with_one_line(taken_port: int, tmp_path: Path) -> None:
    ports = {"sms": 1, "mail": 1, "smpp": taken_port}
    with demo_channels(tmp_path, ports) as channels, pytest.raises(ClickException, match=rf"^smpp: port {taken_port}: .*in use"):
        channels.wait_ready()


def test_sinks_without_a_folder_end_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sinks = ManagedProcess("sinks", tmp_path / "sinks.log", signal.SIGTERM)
    options = ["--folder", str(tmp_path / "file" / "in"), "--smtp-port", "0", "--sms-port", "0"]
    sinks.start([sys.executable, "-P", "-m", "deploy.sinks", *options])
    with pytest.raises(ClickException, match=r"^sinks: .*Not a directory"):
        wait_listening(sinks)
