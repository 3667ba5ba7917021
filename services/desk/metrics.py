"""Metrics of the desk."""

from prometheus_client import Counter, Gauge, Histogram

from shared.runtime.process.measured_gauge import MeasuredGauge

READ_MODEL_AGE = MeasuredGauge("jiesu_desk_read_model_age_seconds", "Real seconds by which the pages of this process are behind the topics")
LIVE_PAGES = Gauge("jiesu_desk_live_pages", "Open pages that this process keeps up to date")
PROJECTED = Counter("jiesu_desk_projected_events", "Events that were applied to the read model", ["topic"])
SERVICE_CALLS = Counter("jiesu_desk_service_calls", "Calls of other services on behalf of a person", ["service", "outcome"])
QUERY_SECONDS = Histogram(
    "jiesu_desk_query_seconds",
    "Seconds of one query of the read model",
    ["query"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.3, 0.6, 1.2, 2.5),
)
QUERIES = ("inbox", "counts", "search", "figures", "figure_cases", "board")
OUTCOMES = ("accepted", "refused", "unavailable")
CALLED_SERVICES = ("intake", "triage", "sla")


def initialise(topics: tuple[str, ...]) -> None:
    """Create the time series of the counters: an increase from nothing would not be seen."""
    for topic in topics:
        PROJECTED.labels(topic)
    for query in QUERIES:
        QUERY_SECONDS.labels(query)
    for service in CALLED_SERVICES:
        for outcome in OUTCOMES:
            SERVICE_CALLS.labels(service, outcome)
