"""Runs Alertmanager with the project's configuration, and hands it alerts."""

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.embedded.ports import free_ports
from deploy.embedded.process import ManagedProcess, wait_until
from tests.support.monitoring.programs import program
from tests.support.repository import PROJECT

CONFIGURATION = PROJECT / "deploy/prometheus/alertmanager.yml"


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """A running Alertmanager, at host and port of `address`."""

    address: str

    def fire(self, alerts: Sequence[Mapping[str, str]]) -> None:
        """Hand it alerts, each given by its labels."""
        httpx.post(f"http://{self.address}/api/v2/alerts", json=[{"labels": dict(labels)} for labels in alerts]).raise_for_status()

    def alerts(self) -> dict[str, dict[str, Any]]:
        """Its alerts by name: `receivers`, and `status` with what inhibits them."""
        listed = httpx.get(f"http://{self.address}/api/v2/alerts").json()
        return {alert["labels"]["alertname"]: alert for alert in listed}


@contextmanager
def running_alertmanager(folder: Path, configuration: Path = CONFIGURATION) -> Iterator[Alertmanager]:
    """Alertmanager for the length of a block. Skips the test where it cannot be had."""
    command = program("prometheus-alertmanager")
    [port] = free_ports(1)
    alertmanager = Alertmanager(f"127.0.0.1:{port}")
    process = ManagedProcess("alertmanager", folder / "alertmanager.log", signal.SIGTERM)
    options = {
        "config.file": configuration,
        "storage.path": folder / "data",
        "web.listen-address": alertmanager.address,
        "cluster.listen-address": "",
    }
    process.start([str(command), *(f"--{name}={value}" for name, value in options.items())])
    try:
        assert wait_until(lambda: _is_ready(alertmanager.address), 30), process.log_tail()
        yield alertmanager
    finally:
        process.stop()


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/-/ready", timeout=2).is_success
    except httpx.TransportError:
        return False
