"""Finds what reads each metric: alerts, recording rules and panels of dashboards."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from cli.reference.declared import DeclaredMetric

_NAME = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")
_RULES, _DASHBOARDS = "deploy/prometheus", "deploy/grafana/dashboards"
_SHOWN = 4


def uses_by_metric(root: Path, declared: Sequence[DeclaredMetric]) -> Mapping[str, list[str]]:
    """Name of a metric → what reads it, in the checkout `root`: alerts first, then recording rules, then dashboards."""
    metrics = {series: metric.name for metric in declared for series in metric.series_names}
    uses: dict[str, dict[str, None]] = defaultdict(dict)
    for reader, query in _readers(root):
        for name in _NAME.findall(query):
            if name in metrics:
                uses[metrics[name]][reader] = None
    return {name: list(readers) for name, readers in uses.items()}


def describe_uses(readers: Sequence[str]) -> str:
    """The readers in one cell; of many the first ones."""
    more = f" and {len(readers) - _SHOWN} more" if len(readers) > _SHOWN else ""
    return ", ".join(readers[:_SHOWN]) + more


def _readers(root: Path) -> Iterator[tuple[str, str]]:
    rules = list(_rules(root / _RULES))
    yield from ((f"alert {rule['alert']}", rule["expr"]) for rule in rules if "alert" in rule)
    yield from ((f"rule `{rule['record']}`", rule["expr"]) for rule in rules if "record" in rule)
    for path in sorted((root / _DASHBOARDS).glob("*.json")):
        yield f"dashboard {path.stem}", path.read_text(encoding="utf-8")


def _rules(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.yml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8")).get("groups", ()):
            yield from group["rules"]
