"""Queries that are empty when all is well return data under their fault; here the series of the fault are made up and really scraped."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from cli.reference.declared import declared_metrics
from tests.support.monitoring.board_queries import MADE, board_queries, without_data
from tests.support.monitoring.prometheus import running_prometheus
from tests.support.promql import parse_query
from tests.support.waiting import wait_for

ALWAYS = ""
QUERIES = [query for query in board_queries() if query.empty_unless not in {ALWAYS, *MADE}]
METRICS = {series: metric for metric in declared_metrics() for series in metric.series_names}


class FaultSeries(Collector):
    """The metrics that the queries read, with a sample value of each label; counters grow with each scrape."""

    def __init__(self) -> None:
        self.scrapes = 0

    def collect(self) -> Iterator[Any]:
        self.scrapes += 1
        for metric in {METRICS[name].name: METRICS[name] for query in QUERIES for name in parse_query(query.expression).labels}.values():
            values = ["sample"] * len(metric.labels)
            match metric.kind:
                case "counter":
                    family: Any = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
                    family.add_metric(values, self.scrapes)
                case "histogram":
                    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
                    family.add_metric(values, [("0.5", self.scrapes), ("+Inf", self.scrapes)], self.scrapes / 2)
                case _:
                    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
                    family.add_metric(values, 1)
            yield family


@pytest.fixture
def exporter() -> Iterator[str]:
    registry = CollectorRegistry()
    registry.register(FaultSeries())
    server, thread = start_http_server(0, "127.0.0.1", registry)
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


async def test_rare_queries_return_data_under_their_fault(exporter: str, tmp_path: Path) -> None:
    assert QUERIES
    with running_prometheus(tmp_path, {"fault": [exporter]}) as prometheus:
        assert len(without_data(prometheus, QUERIES)) == len(QUERIES), "nothing was scraped yet"
        await wait_for(lambda: not without_data(prometheus, QUERIES), what="data of every rare query", pause=0.3)
