"""Metrics of the machinery; label values come from topics and partitions of the registry, never from records."""

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("jiesu_records", "Records read, by topic and what became of them", ["topic", "outcome"])
BATCH_SIZE = Histogram("jiesu_batch_records", "Records in a batch", buckets=(1, 2, 5, 10, 25, 50, 100, 200, 350, 500))
BATCH_SECONDS = Histogram(
    "jiesu_batch_seconds", "Seconds from a batch's arrival to its commit", buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60)
)
BATCH_RETRIES = Counter("jiesu_batch_retries", "Batches tried again after an infrastructure error")
CONSUMER_LAG = Gauge("jiesu_consumer_lag_records", "Records not yet read, by topic, over this process's partitions", ["topic"])
PARTITIONS_HELD = Gauge("jiesu_partitions_held", "Partition numbers of which this process reads every input topic")
BREAKER_OPEN = Gauge("jiesu_breaker_open_partitions", "Partitions stopped because too many of their records were bad")
UNTRUSTED_TIMESTAMPS = Counter("jiesu_untrusted_timestamp_records", "Records that carry no broker's timestamp", ["topic"])
DEAD_LETTERS = Gauge("jiesu_dead_letters", "Dead letters that nobody has settled")
PARKED_CASES = Gauge("jiesu_parked_cases", "Cases that wait behind a dead letter")
PARKED_RECORDS = Gauge("jiesu_parked_records", "Records that wait behind a dead letter")
PARKED_TIMERS = Gauge("jiesu_parked_timers", "Due timers held because their case is parked")
OUTBOX_MESSAGES = Gauge("jiesu_outbox_messages", "Messages not yet sent")
OUTBOX_AGE = Gauge("jiesu_outbox_age_seconds", "Age of the oldest message not yet sent, real seconds")
RELAY_CYCLES = Counter("jiesu_relay_cycles", "Relay cycles, by result", ["result"])
RELAY_MESSAGES = Counter("jiesu_relay_messages", "Messages sent by the relay")
RELAY_HELD_TOPICS = Gauge("jiesu_relay_held_topics", "Topics that could not be sent to (absent or forbidden), whose messages wait")
TIMERS_FIRED = Counter("jiesu_timers_fired", "Cases whose timers fired")
TIMER_LATENESS = Histogram(
    "jiesu_timer_lateness_seconds",
    "Real seconds from a timer's due instant to its firing",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600, 86400),
)
TIMERS_BEHIND = Gauge("jiesu_timers_behind_seconds", "Real seconds by which our oldest due timer is late")
WATERMARK_AGE = Gauge("jiesu_watermark_age_seconds", "Real seconds by which the slowest watermark lies back while timers wait")
