"""Queries, panels and rows of a dashboard, before a library turns them into Grafana's JSON."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Grafana's kinds of panels that the dashboards use."""

    TIMESERIES = "timeseries"
    STAT = "stat"
    BARS = "bargauge"


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression and the legend of its series.

    `empty_unless` names the fault, or the rare event, without which the query returns nothing; empty where it always returns data.
    """

    expr: str
    legend: str
    empty_unless: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: `description` states what it shows and what is normal; `runbook` is a page in docs/runbooks without its suffix.

    `limits` are the values from which the panel turns yellow and red, or, where the second is lower, below which it does.
    """

    title: str
    description: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: Kind = Kind.TIMESERIES
    runbook: str = ""
    limits: tuple[float, float] | None = None
    stacked: bool = False
    width: int = 8
    height: int = 7


@dataclass(frozen=True, slots=True)
class Row:
    """Panels below a heading, laid out from left to right."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class BoardVariable:
    """A template variable: the values of a label, any number of which may be chosen; all of them at first."""

    name: str
    title: str
    values: str


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard; `uid` is the name that alerts and links use, and with `jiesu-` taken off the name of its file."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    choices: tuple[BoardVariable, ...] = ()
    first_hours: int = 6
    refresh: str = "30s"

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, in reading order."""
        return tuple(panel for row in self.rows for panel in row.panels)


PROCEDURE = BoardVariable("procedure", "Procedure · 规程", "label_values(jiesu_cases_open, procedure)")
DEPARTMENT = BoardVariable("department", "Department · 部门", "label_values(jiesu_cases_open, department)")
SERVICE = BoardVariable("service", "Service", 'label_values(up{job=~"intake|triage|sla|notify|desk"}, job)')
INSTANCE = BoardVariable("instance", "Instance", 'label_values(up{job=~"$service"}, instance)')
UNIT = 'procedure=~"$procedure", department=~"$department"'
"""The matchers of what is counted by procedure and department."""
PROCESS = 'job=~"$service", instance=~"$instance"'
"""The matchers of what each process exports."""
RATE = "$__rate_interval"


def quantile(quantile_: float, metric: str, by: str, matchers: str = "") -> str:
    """The expression for a quantile of a histogram, by the given labels."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({quantile_}, sum by ({labels}) (rate({metric}_bucket{{{matchers}}}[{RATE}])))"


def per_second(metric: str, by: str, matchers: str = "") -> str:
    """The expression for the rate of a counter, by the given labels."""
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({metric}{{{matchers}}}[{RATE}]))"


def mean(metric: str, by: str, matchers: str = "") -> str:
    """The expression for the mean of a histogram's observations, by the given labels."""
    return f"{per_second(f'{metric}_sum', by, matchers)} / {per_second(f'{metric}_count', by, matchers)}"


def used_share(metric: str, by: str, matchers: str = "") -> str:
    """The expression for a gauge's share of the gauge of its limit, by the given labels."""
    return f"sum by ({by}) ({metric}{{{matchers}}}) / sum by ({by}) ({metric}_max{{{matchers}}})"


def stat(
    title: str,
    description: str,
    expr: str,
    *,
    unit: str = "short",
    runbook: str = "",
    limits: tuple[float, float] | None = None,
    empty_unless: str = "",
) -> Panel:
    """One number."""
    query = Query(expr, title.partition(" · ")[0], empty_unless)
    return Panel(title, description, (query,), unit, Kind.STAT, runbook, limits, width=4, height=4)


CONSUMER_LAG = Panel(
    "Records not yet read",
    "Consumer lag by service and topic. Normal: near zero.",
    (Query(f"sum by (job, topic) (jiesu_consumer_lag_records{{{PROCESS}}})", "{{job}} {{topic}}"),),
    runbook="consumer-behind",
    limits=(10_000, 50_000),
)
