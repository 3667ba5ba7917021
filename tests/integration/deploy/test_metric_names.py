"""Prometheus' own linter has nothing to say about the names, units and help texts of our metrics."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from cli.reference import declared
from cli.reference.metric_uses import uses_by_metric
from tests.support.repository import PROJECT

KINDS = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}


def exposed(metrics: list[tuple[str, str, str]]) -> bytes:
    """An exposition with a sample of each metric: kind, name, help."""
    registry = CollectorRegistry()
    for kind, name, text in metrics:
        KINDS[kind](name, text, registry=registry)
    return generate_latest(registry)


def lint(promtool: Path, text: bytes) -> str:
    result = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    return (result.stdout + result.stderr).decode()


def test_linter_finds_nothing(promtool: Path) -> None:
    text = exposed([(metric.kind, metric.name, metric.help) for metric in declared.declared_metrics()])
    assert lint(promtool, text) == ""


def test_linter_finds_a_fault(promtool: Path) -> None:
    assert "jiesu_wait_milliseconds" in lint(promtool, exposed([("gauge", "jiesu_wait_milliseconds", "Wait")]))


def test_what_the_help_text_measures_is_the_unit_of_the_name() -> None:
    for metric in declared.declared_metrics():
        words = set(re.findall(r"[a-z]+", metric.help.lower()))
        assert ("seconds" in words) <= (metric.unit == "seconds"), metric.name


def test_catalogue_names_what_reads_a_metric() -> None:
    listed = declared.declared_metrics()
    uses = uses_by_metric(PROJECT, listed)
    assert "alert DeadLetters" in uses["jiesu_dead_letters"]
    assert {metric.name for metric in listed if metric.shared} >= {"jiesu_dead_letters", "jiesu_cases_open"}
    assert not next(metric for metric in listed if metric.name == "jiesu_consumer_lag_records").shared
