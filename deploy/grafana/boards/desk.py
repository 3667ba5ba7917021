"""The desk: age of its read model, its queries, open pages, and calls of the services on behalf of people."""

from deploy.grafana.panels import Board, Panel, Query, Row, per_second, quantile

_READING = Row(
    "Read model · 读模型",
    (
        Panel(
            "Age of what pages show",
            "Seconds by which the pages of each process are behind the topics. Normal: below 2.",
            (Query("max by (instance) (jiesu_desk_read_model_age_seconds)", "{{instance}}"),),
            unit="s",
            runbook="consumer-behind",
            limits=(10, 60),
        ),
        Panel(
            "Events applied",
            "Events a second that were applied to the read model, by topic.",
            (Query(per_second("jiesu_desk_projected_events_total", "topic"), "{{topic}}"),),
            unit="cps",
        ),
    ),
)
_PAGES = Row(
    "Pages · 页面",
    (
        Panel(
            "Queries",
            "95th percentile of the queries of lists, counters and searches. Normal: below 0.15, of searches below 0.3.",
            (Query(quantile(0.95, "jiesu_desk_query_seconds", "query"), "{{query}}"),),
            unit="s",
        ),
        Panel(
            "Open pages",
            "Pages that are kept up to date, by process; JIESU_DESK_LIVE_PAGES bounds them.",
            (Query("sum by (instance) (jiesu_desk_live_pages)", "{{instance}}"),),
        ),
        Panel(
            "Calls of services",
            "Calls an hour on behalf of people, by service and outcome. Unavailable: the service did not answer.",
            (Query("sum by (service, outcome) (increase(jiesu_desk_service_calls_total[1h]))", "{{service}} {{outcome}}"),),
            runbook="service-down",
        ),
    ),
)

BOARD = Board(
    uid="jiesu-desk",
    title="Desk · 工作台",
    description="Age of the read model, queries, open pages, and calls of the services.",
    rows=(_READING, _PAGES),
)
