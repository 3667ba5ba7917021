"""What a PromQL query asks for: series with the labels that it names, and which of them it takes a rate of."""

from dataclasses import dataclass, field

import promql_parser as promql

RATES = frozenset({"rate", "increase", "irate", "resets"})


@dataclass
class QuerySeries:
    """Series name → labels that matchers or groupings name; `rated` are the series under a rate."""

    labels: dict[str, set[str]] = field(default_factory=dict)
    rated_series: set[str] = field(default_factory=set)


def parse_query(query: str) -> QuerySeries:
    """Parse a query, Grafana's interval variable as five minutes. Raises ValueError where it is no PromQL."""
    found = QuerySeries()
    _visit(promql.parse(query.replace("$__rate_interval", "5m")), found, set(), rated=False)
    return found


def _visit(node: object, found: QuerySeries, grouped: set[str], *, rated: bool) -> None:
    match node:
        case promql.VectorSelector():
            named = {matcher.name for matcher in node.matchers.matchers}
            found.labels.setdefault(str(node.name), set()).update(named | grouped)
            found.rated_series |= {str(node.name)} if rated else set()
        case promql.MatrixSelector():
            _visit(node.vector_selector, found, grouped, rated=rated)
        case promql.Call():
            for argument in node.args:
                _visit(argument, found, grouped, rated=rated or node.func.name in RATES)
        case promql.AggregateExpr():
            _visit(node.expr, found, grouped | set(node.modifier.labels if node.modifier else ()), rated=rated)
        case promql.BinaryExpr():
            _visit(node.lhs, found, grouped, rated=rated)
            _visit(node.rhs, found, grouped, rated=rated)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            _visit(node.expr, found, grouped, rated=rated)
