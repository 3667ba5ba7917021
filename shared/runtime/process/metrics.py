"""Metrics of the runtime; label values are topics and results, never values of records.

A counter's time series exist with 0 from the start, for every label value that is known then: an increase from nothing is none.
"""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from shared.contracts.topics import TOPICS
from shared.runtime.process.measured_gauge import MeasuredGauge, SharedGauge

# A gauge beside every counter and histogram, with the instant of its first increment: it doubles the series, and nobody reads it.
disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus_client leaves its result open
UNVERIFIED = "unverified"
"""The sender of records whose signature proves none."""

LAG_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
"""Seconds from an instant to what follows it; 60 is the promise for routing, 10 and 60 those for timers."""

READY = Gauge("jiesu_ready", "1 while the process is ready, as /ready answers, else 0")
DEGRADED = Gauge("jiesu_degraded", "1 while /ready lists a reason that does not block requests, such as an absent broker, else 0")
DATABASE_UP = Gauge("jiesu_database_up", "1 while the process can use its database, else 0")
MEASUREMENTS_FAILED = Counter(
    "jiesu_measurements_failed", "Measurements that failed; their gauges have no value until one succeeds", ["measurement"]
)
RECORDS = Counter("jiesu_records", "Records processed, by topic and outcome: read, dead", ["topic", "outcome"])
BATCH_SIZE = Histogram("jiesu_batch_records", "Records in a batch", buckets=(1, 2, 5, 10, 25, 50, 100, 200, 350, 500))
BATCH_SECONDS = Histogram(
    "jiesu_batch_duration_seconds",
    "Seconds from the start of a batch to its commit",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60),
)
RECORD_LAG = Histogram(
    "jiesu_record_lag_seconds",
    "Real seconds from the broker's timestamp of a record to the commit of its batch, by topic",
    ["topic"],
    buckets=LAG_BUCKETS,
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
OUTBOX_AGE = SharedGauge("jiesu_outbox_oldest_age_seconds", "Age of the oldest message in the outbox in real seconds")
RELAY_CYCLES = Counter("jiesu_relay_cycles", "Relay cycles, by result: sent, empty, held, failed", ["result"])
RELAY_MESSAGES = Counter(
    "jiesu_relay_messages",
    "Messages that the relay handed to the broker, by topic and outcome: sent, failed",
    ["topic", "outcome"],
)
RELAY_SECONDS = Histogram(
    "jiesu_relay_send_duration_seconds",
    "Seconds from handing messages to the Kafka client to the acknowledgement of the last one",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15),
)
OUTBOX_WAIT = Histogram(
    "jiesu_outbox_wait_seconds", "Real seconds from the commit of a message to its acknowledgement by the broker", buckets=LAG_BUCKETS
)
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
HTTP_REQUEST_DURATION = Histogram(
    "jiesu_http_request_duration_seconds",
    "Seconds from a request's headers to the end of its answer, by route template, method and class of status (2xx, …, aborted)",
    ["route", "method", "status"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
HTTP_REQUESTS_RUNNING = Gauge("jiesu_http_requests_running", "Requests that are being answered")
DATABASE_CONNECTIONS = Gauge("jiesu_database_connections", "Connections of a pool that are in use", ["pool"])
DATABASE_CONNECTIONS_MAX = Gauge("jiesu_database_connections_max", "Connections that a pool may open", ["pool"])
DATABASE_WAIT = Histogram(
    "jiesu_database_wait_seconds",
    "Seconds that a transaction waited for a connection of its pool, until BEGIN was answered",
    ["pool"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10),
)
DATABASE_FAILURES = Counter("jiesu_database_failures", "Transactions that ended by an infrastructure error, or did not begin", ["pool"])
SLOTS = Gauge("jiesu_slots", "Jobs of a queue that run at the moment", ["queue"])
SLOTS_MAX = Gauge("jiesu_slots_max", "Jobs of a queue that may run at once", ["queue"])
SLOTS_FAILURES = Counter("jiesu_slots_failures", "Cycles of a queue that failed: nothing was claimed or settled", ["queue"])
LOOP_LAG = Histogram(
    "jiesu_event_loop_lag_seconds",
    "Seconds by which the event loop ran a callback too late; all that the process does waits as long",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
LOOP_BUSY = Counter("jiesu_event_loop_busy_seconds", "Processor seconds of the thread that runs the event loop")
LOOP_FAILURES = Counter("jiesu_background_loop_failures", "Failures of background loops, which start again", ["loop"])
HEARTBEAT_AGE = MeasuredGauge(
    "jiesu_heartbeat_age_seconds", "Seconds since the heartbeat of the process of a service that has been silent for longest", ["service"]
)
HEARTBEATS_FAILED = Counter("jiesu_heartbeats_failed", "Heartbeats of this process that could not be sent")
HEARTBEATS_UNREADABLE = Counter("jiesu_heartbeats_unreadable", "Records on the topic of heartbeats that are none")
WATERMARK_LAG = Histogram(
    "jiesu_watermark_lag_seconds",
    "Real seconds by which the slowest watermark of this process is behind, measured every five seconds: no timer fires beyond it",
    buckets=LAG_BUCKETS,
)
WATERMARK_AGE = MeasuredGauge("jiesu_watermark_age_seconds", "Watermark lag in real seconds while timers are pending")


def topic_label(topic: str) -> str:
    """The label of a topic that is written: its name, or `department`."""
    # Departments come and go with the organisation file: one label for all of their topics.
    return topic if topic in TOPICS else "department"


def initialise_senders(topics: Iterable[str], senders: Iterable[str]) -> None:
    """Create the time series of the counters of bad records for the senders whose signatures are checked on these topics."""
    # Born with 1, the first record that is set aside would be no increase, and the alert on it would not fire.
    for sender in senders:
        SET_ASIDE.labels(sender)
        for topic in topics:
            BAD_RECORDS.labels(topic, sender)


def initialise(topics: Iterable[str]) -> None:
    """Create the time series of the counters for a service that reads these topics."""
    for topic in topics:
        for outcome in ("read", "dead"):
            RECORDS.labels(topic, outcome)
        BAD_RECORDS.labels(topic, UNVERIFIED)
        UNTRUSTED_TIMESTAMPS.labels(topic)
        RECORD_LAG.labels(topic)
    SET_ASIDE.labels(UNVERIFIED)
    for topic in (*TOPICS, "department"):
        for outcome in ("sent", "failed"):
            RELAY_MESSAGES.labels(topic, outcome)
        UNSENDABLE.labels(topic)
    for result in ("sent", "empty", "held", "failed"):
        RELAY_CYCLES.labels(result)
