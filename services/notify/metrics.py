"""The metrics of notify; label values come from closed lists, never from records."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

from services.notify.domain.failure_reason import FailureReason, reason_label
from shared.runtime.process.measured_gauge import OTHER, SharedGauge, bounded

CHANNELS = ("email", "sms", "chat", "voice")

REQUESTED = Counter("jiesu_notify_requested", "Messages requested: one per recipient and channel", ["channel"])
SENT = Counter("jiesu_notify_sent", "Messages that a provider accepted", ["channel"])
DELIVERED = Counter("jiesu_notify_delivered", "Messages whose receipt reports delivery", ["channel"])
FAILED = Counter("jiesu_notify_failed", "Messages that finally failed, by reason", ["channel", "reason"])
ATTEMPTS = Counter("jiesu_notify_attempts", "Attempts at a provider: accepted, or the reason of the failure", ["channel", "outcome"])
PROVIDER_SECONDS = Histogram(
    "jiesu_notify_provider_duration_seconds",
    "Real seconds that one attempt at a provider took",
    ["channel"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60),
)
PROVIDER_ATTEMPTS = Counter(
    "jiesu_notify_provider_attempts", "Attempts by provider: accepted, or the reason of the failure", ["provider", "outcome"]
)
PROVIDER_OPEN = Gauge(
    "jiesu_notify_provider_open", "1 while the provider's breaker is open: it gets one trial message a pause", ["provider"]
)
PARTS = Counter("jiesu_notify_parts", "Parts of text messages that a provider accepted, each of which the carrier charges", ["provider"])
RECEIPT_OUTCOMES = ("delivered", "failed", "undecided", "unknown", "forged", "invalid")
RECEIPTS = Counter("jiesu_notify_receipts", "Receipts: delivered, failed, undecided, unknown, forged, invalid", ["outcome"])
DIGESTS = Counter("jiesu_notify_digests", "Messages that carry several requests", ["channel"])
CARRIED = Counter(
    "jiesu_notify_carried", "Requests whose message another delivery carried: a digest, or a duplicate's first", ["channel", "merged"]
)
MERGED = ("digest", "duplicate")
DIGEST_DELAY = Histogram(
    "jiesu_notify_digest_delay_seconds",
    "Domain seconds by which requests wait for their digest",
    ["channel"],
    buckets=(1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 14_400, 43_200),
)
DIGEST_LATE = SharedGauge(
    "jiesu_notify_digest_late_seconds", "Real seconds by which the oldest digest that is due has not been closed", ["channel"]
)
CARRIED_LAG = SharedGauge(
    "jiesu_notify_carried_oldest_age_seconds", "Real seconds that the oldest outcome waits for the requests that its message carried", []
)
MONTH_FAILED = SharedGauge(
    "jiesu_notify_month_failed_messages", "Messages that finally failed in the last 30 days, as far as they are kept", ["channel", "reason"]
)
DUE = SharedGauge("jiesu_notify_due_messages", "Messages whose next attempt is due and that are not leased", ["channel"])
DUE_AGE = SharedGauge("jiesu_notify_due_age_seconds", "Real seconds by which the oldest of them is late", ["channel"])


def channel_label(name: str) -> str:
    """The channel as a label value; `other` for an unknown one."""
    return bounded(name, CHANNELS)


def count_failed(name: str, reason: str) -> None:
    """Count one final failure."""
    FAILED.labels(channel_label(name), reason_label(reason)).inc()


def initialise_providers(provider_ids: Iterable[str]) -> None:
    """Create the time series of each provider of the file."""
    for provider_id in provider_ids:
        PARTS.labels(provider_id)
        PROVIDER_OPEN.labels(provider_id).set(0)
        for outcome in ("accepted", *FailureReason):
            PROVIDER_ATTEMPTS.labels(provider_id, outcome)


def initialise() -> None:
    """Create the time series of the counters: an increase from nothing would not be seen."""
    for channel in CHANNELS:
        for counter in (REQUESTED, SENT, DELIVERED, DIGESTS):
            counter.labels(channel)
        for merged in MERGED:
            CARRIED.labels(channel, merged)
        DIGEST_DELAY.labels(channel)
        for reason in (*FailureReason, OTHER):
            FAILED.labels(channel, reason)
        for outcome in ("accepted", *FailureReason):
            ATTEMPTS.labels(channel, outcome)
    for outcome in RECEIPT_OUTCOMES:
        RECEIPTS.labels(outcome)
