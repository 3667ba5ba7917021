"""Every alert fires when it should and is silent otherwise, by Prometheus's own promtool."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.repository import PROJECT

RULES = (PROJECT / "deploy/prometheus/recording.yml", PROJECT / "deploy/prometheus/alerts.yml")
_VALUE = re.compile(r"\{\{ \$value[^}]*\}\}")
_NAME = re.compile(r"[a-z_]+(?::[a-z0-9_]+)+")


@dataclass(frozen=True)
class AlertCase:
    """Series with which an alert fires after `at` with these labels and this value, and series with which it does not."""

    fires: dict[str, str]
    silent: dict[str, str]
    labels: dict[str, str] = field(default_factory=dict)
    value: str | float = ""
    interval: str = "1m"
    at: str = "30m"


CASES = {
    name: AlertCase(**case)
    for name, case in yaml.safe_load((Path(__file__).parent / "alert_cases.yaml").read_text(encoding="utf-8")).items()
}


def rules() -> list[dict[str, Any]]:
    """Recording rules first, in the order in which they are evaluated."""
    return [rule for path in RULES for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
RECORDS = {rule["record"]: rule for rule in rules() if "record" in rule}


def test_every_alert_has_a_case_that_fires_and_one_that_does_not() -> None:
    assert sorted(CASES) == sorted(ALERTS)


def test_every_alert_names_its_runbook_and_dashboard() -> None:
    for name, rule in ALERTS.items():
        kebab = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["runbook"] == f"docs/runbooks/{kebab}.md"
        assert re.fullmatch(r"jiesu-[a-z]+", rule["annotations"]["dashboard"])


def test_recorded_names_have_a_level_a_metric_and_operations() -> None:
    for name, rule in RECORDS.items():
        level, metric, operations = name.split(":")
        assert metric.startswith("jiesu_")
        assert operations
        grouped = re.findall(r"by \(([^)]*)\)", rule["expr"])
        assert grouped, name
        for labels in grouped:
            assert set(level.split("_")) == set(re.split(r",\s*", labels)) - {"le"}, name


def test_alerts_fire_when_they_should_and_only_then(promtool: Path, tmp_path: Path) -> None:
    files = [_write(tmp_path, name, case) for name, case in CASES.items()]
    result = subprocess.run([promtool, "test", "rules", *files], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def _write(folder: Path, name: str, case: AlertCase) -> Path:
    """A test file of promtool with the alert and the rules that it reads: all rules for each alert would take minutes."""
    needed = [*_needed(ALERTS[name]["expr"]), ALERTS[name]]
    rule_file = folder / f"{name}.rules.yml"
    rule_file.write_text(yaml.safe_dump({"groups": [{"name": "needed", "rules": needed}]}), encoding="utf-8")
    tests = [_test(name, case, fires=True), _test(name, case, fires=False)]
    content = {"rule_files": [str(rule_file)], "evaluation_interval": case.interval, "tests": tests}
    file = folder / f"{name}.test.yml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def _needed(expression: str) -> Iterator[dict[str, Any]]:
    """The recording rules that an expression reads, those before which they read themselves."""
    for name in dict.fromkeys(_NAME.findall(expression)):
        yield from _needed(RECORDS[name]["expr"])
        yield RECORDS[name]


def _test(name: str, case: AlertCase, *, fires: bool) -> dict[str, Any]:
    rule = ALERTS[name]
    series = case.fires if fires else case.silent
    summary = _VALUE.sub(str(case.value), rule["annotations"]["summary"])
    for label, value in case.labels.items():
        summary = summary.replace(f"{{{{ $labels.{label} }}}}", value)
    expected = [{"exp_labels": rule["labels"] | case.labels, "exp_annotations": rule["annotations"] | {"summary": summary}}]
    return {
        "interval": case.interval,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": case.at, "alertname": name, "exp_alerts": expected if fires else []}],
    }
