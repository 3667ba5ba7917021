"""Prometheus over a local stack: the project's own rules and jobs, at local addresses."""

from pathlib import Path

import pytest
import yaml
from click import ClickException

from cli.service_names import SERVICES
from cli.stack.prometheus import local_configuration, prometheus_is_wanted


def test_configuration_has_the_rules_and_a_target_for_each_job() -> None:
    urls = {name: f"http://127.0.0.1:{18101 + number}" for number, name in enumerate(SERVICES)}
    document = yaml.safe_load(local_configuration(urls, 19090))
    assert document["rule_files"]
    assert all(Path(name).is_file() for name in document["rule_files"])
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in document["scrape_configs"]}
    assert targets == {name: [url.removeprefix("http://")] for name, url in urls.items()} | {"prometheus": ["127.0.0.1:19090"]}


def test_prometheus_is_run_if_it_is_there_unless_it_is_not_wished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not prometheus_is_wanted(None)
    with pytest.raises(ClickException, match="--with-prometheus: prometheus is not on the PATH; install it"):
        prometheus_is_wanted(wish=True)
    program = tmp_path / "prometheus"
    program.touch(0o755)
    assert prometheus_is_wanted(None)
    assert not prometheus_is_wanted(wish=False)
