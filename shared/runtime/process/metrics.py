"""Metrics of the runtime; label values are topics and results, never values of records.

A counter's time series exist with 0 from the start, for every label value that is known then: an increase from nothing is none.
"""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

from shared.runtime.process.measured_gauge import MeasuredGauge, SharedGauge

UNVERIFIED = "unverified"
"""The sender of records whose signature proves none."""

READY = Gauge("jiesu_ready", "1 while the process is ready, as /ready answers, else 0")
DEGRADED = Gauge("jiesu_degraded", "1 while /ready lists a reason that does not block requests, such as an absent broker, else 0")
DATABASE_UP = Gauge("jiesu_database_up", "1 while the process can use its database, else 0")
MEASUREMENTS_FAILED = Counter(
    "jiesu_measurements_failed", "Measurements that failed; their gauges have no value until one succeeds", ["measurement"]
)
RECORDS = Counter("jiesu_records", "Records processed, by topic and outcome: read, dead", ["topic", "outcome"])
BATCH_SIZE = Histogram("jiesu_batch_records", "Records in a batch", buckets=(1, 2, 5, 10, 25, 50, 100, 200, 350, 500))
BATCH_SECONDS = Histogram(
    "jiesu_batch_seconds",
    "Seconds from the start of a batch to its commit",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60),
)
BATCH_RETRIES = Counter("jiesu_batch_retries", "Retries of batches after an infrastructure error")
CONSUMER_LAG = MeasuredGauge("jiesu_consumer_lag_records", "Records not yet read in the partitions of this process, by topic", ["topic"])
PARTITIONS_HELD = Gauge("jiesu_partitions_held", "Partition numbers that are assigned to this process in every input topic")
BREAKER_OPEN = Gauge("jiesu_breaker_open_partitions", "Partitions not read since the breaker opened: one fault parked too many cases")
BAD_RECORDS = Counter(
    "jiesu_bad_records", "Records that became dead letters by bad input, by topic and proven sender or unverified", ["topic", "sender"]
)
SET_ASIDE = Counter("jiesu_set_aside_records", "Records set aside because their sender sent too many bad ones, by sender", ["sender"])
UNTRUSTED_TIMESTAMPS = Counter("jiesu_untrusted_timestamp_records", "Records whose timestamp was not set by the broker", ["topic"])
DEAD_LETTERS = SharedGauge("jiesu_dead_letters", "Dead letters that are not settled")
PARKED_CASES = SharedGauge("jiesu_parked_cases", "Cases parked behind a dead letter")
PARKED_RECORDS = SharedGauge("jiesu_parked_records", "Records that wait behind a dead letter")
PARKED_TIMERS = SharedGauge("jiesu_parked_timers", "Due timers of parked cases")
OUTBOX_MESSAGES = SharedGauge("jiesu_outbox_messages", "Messages in the outbox")
OUTBOX_AGE = SharedGauge("jiesu_outbox_age_seconds", "Age of the oldest message in the outbox in real seconds")
RELAY_CYCLES = Counter("jiesu_relay_cycles", "Relay cycles, by result: sent, empty, held, failed", ["result"])
RELAY_MESSAGES = Counter("jiesu_relay_messages", "Messages sent by the relay")
RELAY_HELD_TOPICS = Gauge("jiesu_relay_held_topics", "Topics whose messages are held because they could not be sent: absent or forbidden")
UNSENDABLE = Counter("jiesu_outbox_unsendable_messages", "Messages that became dead letters because they cannot be sent", ["topic"])
TIMERS_FIRED = Counter("jiesu_timers_fired", "Cases whose timers fired")
TIMER_LATENESS = Histogram(
    "jiesu_timer_lateness_seconds",
    "Real seconds from a timer's due instant to its firing",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600, 86400),
)
TIMERS_BLOCKED = Counter("jiesu_timers_blocked", "Attempts to fire a due timer whose case was locked or erased")
TIMERS_BEHIND = MeasuredGauge("jiesu_timers_behind_seconds", "Real seconds since the oldest due timer was due")
HTTP_CONNECTIONS_CLOSED = Counter(
    "jiesu_http_connections_closed",
    "HTTP connections closed by a limit: slow_headers, slow_body, slow_reader, displaced by a newer one, too_many",
    ["reason"],
)
for _reason in ("slow_headers", "slow_body", "slow_reader", "displaced", "too_many"):
    HTTP_CONNECTIONS_CLOSED.labels(_reason)
WATERMARK_AGE = MeasuredGauge("jiesu_watermark_age_seconds", "Watermark lag in real seconds while timers are pending")


def initialise(topics: Iterable[str]) -> None:
    """Create the time series of the counters for a service that reads these topics."""
    for topic in topics:
        for outcome in ("read", "dead"):
            RECORDS.labels(topic, outcome)
        BAD_RECORDS.labels(topic, UNVERIFIED)
        UNTRUSTED_TIMESTAMPS.labels(topic)
    SET_ASIDE.labels(UNVERIFIED)
    for result in ("sent", "empty", "held", "failed"):
        RELAY_CYCLES.labels(result)
