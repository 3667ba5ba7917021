"""Runs Prometheus over given addresses, with the project's rules, and asks it queries."""

import signal
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from deploy.embedded.ports import free_ports
from deploy.embedded.process import ManagedProcess, wait_until
from tests.support.monitoring.programs import program
from tests.support.repository import PROJECT

RULES = PROJECT / "deploy/prometheus"
_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running Prometheus."""

    url: str
    client: httpx.Client

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an instant query returns now; raises AssertionError with Prometheus' reason where it cannot be evaluated."""
        answer = self.client.post("/query", data={"query": expression}).json()
        assert answer["status"] == "success", f"{answer.get('error')}: {expression}"
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def query_range(self, expression: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """The series of a range query: seconds since the epoch, and the step in seconds."""
        parameters = {"query": expression, "start": str(start), "end": str(end), "step": str(step)}
        answer = self.client.post("/query_range", data=parameters).json()
        assert answer["status"] == "success", f"{answer.get('error')}: {expression}"
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def firing(self) -> dict[str, list[dict[str, str]]]:
        """The alerts that fire: their labels, by name."""
        firing: dict[str, list[dict[str, str]]] = defaultdict(list)
        for alert in self.client.get("alerts").json()["data"]["alerts"]:
            if alert["state"] == "firing":
                firing[alert["labels"]["alertname"]].append(alert["labels"])
        return firing


@contextmanager
def running_prometheus(
    folder: Path, targets: Mapping[str, Sequence[str]], scrape_interval: str = "1s", alertmanager: str = ""
) -> Iterator[Prometheus]:
    """Prometheus for the length of a block; `targets` are the addresses of each job. Skips the test where it cannot be had."""
    command = program("prometheus")
    folder.mkdir(parents=True, exist_ok=True)
    [port] = free_ports(1)
    configuration: dict[str, Any] = {
        "global": {"scrape_interval": scrape_interval, "scrape_timeout": scrape_interval, "evaluation_interval": "1s"},
        "rule_files": [str(_hurried(path, folder)) for path in rule_files()],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": list(addresses)}]} for job, addresses in sorted(targets.items())
        ],
    }
    if alertmanager:
        configuration["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    process = ManagedProcess("prometheus", folder / "prometheus.log", signal.SIGTERM)
    options = {
        "config.file": folder / "prometheus.yml",
        "storage.tsdb.path": folder / "data",
        "web.listen-address": f"127.0.0.1:{port}",
        "log.level": "warn",
        "enable-feature": "exemplar-storage",
    }
    process.start([str(command), *(f"--{name}={value}" for name, value in options.items())])
    try:
        url = f"http://127.0.0.1:{port}"
        assert wait_until(lambda: _is_ready(url), _START_SECONDS), process.log_tail()
        with httpx.Client(base_url=f"{url}/api/v1/", timeout=20) as client:
            yield Prometheus(url, client)
    finally:
        process.stop()


def rule_files() -> list[Path]:
    """The project's files of rules: those in deploy/prometheus that hold groups."""
    return [path for path in sorted(RULES.glob("*.yml")) if "groups" in yaml.safe_load(path.read_text(encoding="utf-8"))]


def _hurried(rules: Path, folder: Path) -> Path:
    """A copy of a file of rules that are evaluated each second and fire at once: a test does not wait for minutes."""
    content = yaml.safe_load(rules.read_text(encoding="utf-8"))
    for group in content["groups"]:
        group.pop("interval", None)
        for rule in group["rules"]:
            rule.pop("for", None)
    copy = folder / rules.name
    copy.write_text(yaml.safe_dump(content), encoding="utf-8")
    return copy


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", timeout=2).is_success
    except httpx.TransportError:
        return False
