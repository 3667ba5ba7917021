"""Prometheus over a local stack, with the rules of deploy/prometheus."""

import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from click import ClickException

import deploy
from deploy.embedded.process import ManagedProcess

PROGRAM = "prometheus"
_CONFIGURATION = Path(deploy.__file__).parent / "prometheus" / "prometheus.yml"


def prometheus_is_wanted(wish: bool | None) -> bool:
    """Whether to run Prometheus: as wished, else if it is on the PATH; raises `ClickException` where it is wished and missing."""
    found = shutil.which(PROGRAM) is not None
    if wish and not found:
        raise ClickException("--with-prometheus: prometheus is not on the PATH; install it (Debian or Ubuntu: apt-get install prometheus)")
    return found if wish is None else wish


def local_configuration(services: Mapping[str, str], port: int) -> str:
    """The text of deploy/prometheus/prometheus.yml with the addresses of a local stack; `services` are base URLs by name."""
    document = yaml.safe_load(_CONFIGURATION.read_text("utf-8"))
    document["rule_files"] = [str(_CONFIGURATION.parent / name) for name in document.get("rule_files", [])]
    document.pop("alerting", None)
    targets = {name: urlsplit(url).netloc for name, url in services.items()} | {PROGRAM: f"127.0.0.1:{port}"}
    # Of other jobs, such as Kubernetes' discovery, a local stack has nothing.
    document["scrape_configs"] = [
        {"job_name": name, "static_configs": [{"targets": [target]}]}
        for name, target in targets.items()
        if any(job["job_name"] == name for job in document["scrape_configs"])
    ]
    text: str = yaml.safe_dump(document, sort_keys=False)
    return text


class LocalPrometheus:
    """Prometheus on loopback, with its data below `root`."""

    def __init__(self, root: Path, services: Mapping[str, str], port: int) -> None:
        self.process = ManagedProcess(PROGRAM, root / "logs" / f"{PROGRAM}.log", signal.SIGTERM)
        self._folder = root.resolve() / PROGRAM
        self._configuration = local_configuration(services, port)
        self._port = port

    def start(self, *, keep_log: bool = False) -> ManagedProcess:
        """Start it, or start it again."""
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "prometheus.yml"
        configuration.write_text(self._configuration, "utf-8")
        options = {
            "--config.file": configuration,
            "--storage.tsdb.path": self._folder / "data",
            "--web.listen-address": f"127.0.0.1:{self._port}",
        }
        self.process.start([PROGRAM, *(f"{name}={value}" for name, value in options.items())], keep_log=keep_log)
        return self.process
