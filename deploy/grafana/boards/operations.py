"""The four golden signals of each service: latency, traffic, errors and saturation; then its state."""

from deploy.grafana.panels import CONSUMER_LAG, INSTANCE, PROCESS, SERVICE, Board, Panel, Query, Row, mean, per_second, quantile, used_share

_UP = 'job=~"$service", instance=~"$instance"'

_STATE = Row(
    "State",
    (
        Panel(
            "Processes",
            "Processes that answer, and whether all are ready and can use the database. Normal: ready and database are 1, degraded is 0.",
            (
                Query(f"sum by (job) (up{{{_UP}}})", "{{job}} up"),
                Query(f"min by (job) (jiesu_ready{{{PROCESS}}})", "{{job}} ready"),
                Query(f"min by (job) (jiesu_database_up{{{PROCESS}}})", "{{job}} database"),
                Query(f"max by (job) (jiesu_degraded{{{PROCESS}}})", "{{job}} degraded"),
            ),
            runbook="service-down",
            width=6,
        ),
        Panel(
            "Partitions",
            "Partition numbers held by each process. Normal: 24 in sum for each service.",
            (Query(f"sum by (job, instance) (jiesu_partitions_held{{{PROCESS}}})", "{{job}} {{instance}}"),),
            runbook="consumer-behind",
            stacked=True,
            width=6,
        ),
        Panel(
            "Silence",
            "Seconds since the last heartbeat of the process of each service that has been silent for longest. Normal: below ten.",
            (Query("max by (service) (jiesu_heartbeat_age_seconds)", "{{service}}"),),
            unit="s",
            runbook="service-silent",
            limits=(10, 20),
            width=6,
        ),
        Panel(
            "Memory",
            "Resident memory of each service.",
            (Query(f"sum by (job) (process_resident_memory_bytes{{{PROCESS}}})", "{{job}}"),),
            unit="bytes",
            width=6,
        ),
    ),
)
_LATENCY = Row(
    "Latency",
    (
        Panel(
            "HTTP requests",
            "95th percentile from a request's headers to the end of its answer. Normal: below half a second.",
            (
                Query(quantile(0.95, "jiesu_http_request_duration_seconds", "job", PROCESS), "{{job}}"),
                Query(quantile(0.95, "jiesu_intake_request_duration_seconds", "job", PROCESS), "{{job}} durable"),
            ),
            unit="s",
            runbook="http-slow",
            limits=(0.5, 2),
        ),
        Panel(
            "Records",
            "95th percentile from the broker's timestamp of a record to the commit of its batch. Normal: below two seconds.",
            (Query(quantile(0.95, "jiesu_record_lag_seconds", "job, topic", PROCESS), "{{job}} {{topic}}"),),
            unit="s",
            runbook="records-late",
            limits=(10, 60),
        ),
        Panel(
            "Batches and transactions",
            "95th percentile of the time of a batch, of the wait for a database connection, and of a send to the broker.",
            (
                Query(quantile(0.95, "jiesu_batch_duration_seconds", "job", PROCESS), "{{job}} batch"),
                Query(quantile(0.95, "jiesu_database_wait_seconds", "job, pool", PROCESS), "{{job}} {{pool}} connection"),
                Query(quantile(0.95, "jiesu_relay_send_duration_seconds", "job", PROCESS), "{{job}} send"),
            ),
            unit="s",
            runbook="database-down",
        ),
    ),
)
_TRAFFIC = Row(
    "Traffic",
    (
        Panel(
            "HTTP requests a second",
            "Requests answered, by class of status.",
            (Query(per_second("jiesu_http_request_duration_seconds_count", "job, status", PROCESS), "{{job}} {{status}}"),),
            unit="reqps",
        ),
        Panel(
            "HTTP requests by route",
            "Requests answered, by route and method.",
            (Query(per_second("jiesu_http_request_duration_seconds_count", "route, method", PROCESS), "{{method}} {{route}}"),),
            unit="reqps",
        ),
        Panel(
            "Records and messages a second",
            "Records processed, and messages that the relays sent.",
            (
                Query(per_second("jiesu_records_total", "job", PROCESS), "{{job}} records"),
                Query(per_second("jiesu_relay_messages_total", "job", f'outcome="sent", {PROCESS}'), "{{job}} sent"),
                Query(per_second("jiesu_timers_fired_total", "job", PROCESS), "{{job}} timers"),
            ),
            unit="cps",
        ),
    ),
)
_ERRORS = Row(
    "Errors",
    (
        Panel(
            "Share of HTTP errors",
            "Share of the answers with 5xx in five minutes, probes and scrapes apart. Normal: zero.",
            (Query('job:jiesu_http_errors:ratio_rate5m{job=~"$service"}', "{{job}}"),),
            unit="percentunit",
            runbook="http-errors",
            limits=(0.001, 0.01),
            width=6,
        ),
        Panel(
            "HTTP errors",
            "Answers with 5xx and requests that the client gave up. Normal: none.",
            (
                Query(
                    per_second("jiesu_http_request_duration_seconds_count", "job, status", f'status=~"5xx|aborted", {PROCESS}'),
                    "{{job}} {{status}}",
                    "the database is away",
                ),
                Query(per_second("jiesu_http_connections_closed_total", "job, reason", PROCESS), "{{job}} closed: {{reason}}"),
            ),
            unit="reqps",
            runbook="connections-closed",
            width=6,
        ),
        Panel(
            "Dead and repeated work",
            "Records that became dead letters, batches that were repeated, messages that could not be sent. Normal: zero.",
            (
                Query(per_second("jiesu_records_total", "job", f'outcome="dead", {PROCESS}'), "{{job}} dead"),
                Query(per_second("jiesu_batch_retries_total", "job", PROCESS), "{{job}} repeated"),
                Query(per_second("jiesu_relay_messages_total", "job", f'outcome="failed", {PROCESS}'), "{{job}} not sent"),
            ),
            unit="cps",
            runbook="batches-retried",
            width=6,
        ),
        Panel(
            "Failures inside",
            "Failed transactions, claims of queues, background loops and measurements, in the last ten minutes. Normal: zero.",
            (
                Query(f"sum by (job, pool) (increase(jiesu_database_failures_total{{{PROCESS}}}[10m]))", "{{job}} {{pool}}"),
                Query(f"sum by (job, queue) (increase(jiesu_slots_failures_total{{{PROCESS}}}[10m]))", "{{job}} {{queue}}"),
                Query(f"sum by (job, loop) (increase(jiesu_background_loop_failures_total{{{PROCESS}}}[10m]))", "{{job}} {{loop}}"),
                Query(f"sum by (job) (increase(jiesu_heartbeats_failed_total{{{PROCESS}}}[10m]))", "{{job}} heartbeats not sent"),
                Query(f"sum by (job) (increase(jiesu_heartbeats_unreadable_total{{{PROCESS}}}[10m]))", "{{job}} heartbeats unreadable"),
                Query(
                    f"sum by (job, measurement) (increase(jiesu_measurements_failed_total{{{PROCESS}}}[10m]))",
                    "{{job}} {{measurement}}",
                    "the database is away",
                ),
            ),
            runbook="loops-fail",
            width=6,
        ),
    ),
)
_SATURATION = Row(
    "Saturation",
    (
        Panel(
            "Database connections",
            "Share of a pool's connections in use. Normal: below 80 %.",
            (
                Query(
                    used_share("jiesu_database_connections", "job, pool", PROCESS),
                    "{{job}} {{pool}}",
                ),
            ),
            unit="percentunit",
            runbook="database-pool-full",
            limits=(0.8, 0.95),
        ),
        Panel(
            "Slots and requests",
            "Share of a queue's slots in use, and requests that are being answered.",
            (
                Query(
                    used_share("jiesu_slots", "job, queue", PROCESS),
                    "{{job}} {{queue}}",
                ),
                Query(f"sum by (job) (jiesu_http_requests_running{{{PROCESS}}})", "{{job}} requests"),
            ),
            runbook="slots-full",
        ),
        Panel(
            "Event loop",
            "99th percentile of the lag, and the share of a second in which the loop's thread used a processor. Normal: lag below 0.1 s.",
            (
                Query(quantile(0.99, "jiesu_event_loop_lag_seconds", "job", PROCESS), "{{job}} lag"),
                Query(f"max by (job) (rate(jiesu_event_loop_busy_seconds_total{{{PROCESS}}}[$__rate_interval]))", "{{job}} busy"),
            ),
            unit="s",
            runbook="event-loop-lags",
            limits=(0.25, 1),
        ),
        CONSUMER_LAG,
        Panel(
            "Processor",
            "Processor time of a service in seconds a second: one process uses at most a little more than one.",
            (Query(per_second("process_cpu_seconds_total", "job", PROCESS), "{{job}}"),),
            unit="percentunit",
        ),
        Panel(
            "Batch size",
            "Mean number of records in a batch; it rises when a service catches up.",
            (
                Query(
                    mean("jiesu_batch_records", "job", PROCESS),
                    "{{job}}",
                ),
            ),
        ),
    ),
)

BOARD = Board(
    uid="jiesu-operations",
    title="Operations · 运行",
    description="Latency, traffic, errors and saturation of the five services, and their state.",
    rows=(_STATE, _LATENCY, _TRAFFIC, _ERRORS, _SATURATION),
    choices=(SERVICE, INSTANCE),
)
