"""The queries of all dashboards and recording rules, as a real Prometheus is asked them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from deploy.grafana.boards.registry import BOARDS
from tests.support.monitoring.prometheus import Prometheus, rule_files

ABSENT_TOPIC, DATABASE_AWAY = "a topic is absent for longer than the hold time", "the database is away"
MADE = frozenset({ABSENT_TOPIC, DATABASE_AWAY})
"""Faults that tests/e2e/test_dashboards.py makes; the series of the others are made up in tests/integration/deploy/test_rare_queries.py."""
_VARIABLES = ("procedure", "department", "service", "instance", "channel")


@dataclass(frozen=True, slots=True)
class BoardQuery:
    """A query, where it stands, and the fault without which it returns nothing (empty: it always returns data)."""

    place: str
    expression: str
    empty_unless: str = ""


def board_queries() -> list[BoardQuery]:
    """The queries of all panels with every variable set to All, and the name of each recorded series."""
    shown = [
        BoardQuery(f"{board.uid}, {panel.title}", _filled_in(query.expr), query.empty_unless)
        for board in BOARDS
        for panel in board.panels
        for query in panel.queries
    ]
    contents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in rule_files()]
    recorded = {rule["record"] for content in contents for group in content["groups"] for rule in group["rules"] if "record" in rule}
    return [*shown, *(BoardQuery("a recording rule", name) for name in sorted(recorded))]


def without_data(prometheus: Prometheus, queries: Iterable[BoardQuery]) -> list[BoardQuery]:
    """The queries that return no series, or none with a number."""
    return [query for query in queries if not _has_number(prometheus, query.expression)]


def _has_number(prometheus: Prometheus, expression: str) -> bool:
    return any(not math.isnan(float(series["value"][1])) for series in prometheus.query(expression))


def _filled_in(expression: str) -> str:
    for variable in _VARIABLES:
        expression = expression.replace(f"${variable}", ".*")
    return expression.replace("$__rate_interval", "5m")
