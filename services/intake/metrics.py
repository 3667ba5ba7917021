"""Intake's metrics; label values come from closed lists, never from submissions."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

from shared.contracts.complaint import CHANNEL_FAMILIES
from shared.runtime.process.measured_gauge import bounded

RECEIVED = Counter("jiesu_intake_received", "Submissions received, by the way they came: http, kafka, file, webhook, mail, form", ["via"])
REGISTERED = Counter("jiesu_intake_registered", "Complaints registered", ["procedure", "channel"])
DUPLICATES = Counter("jiesu_intake_duplicates", "Submissions that had been registered before", ["via"])
SUPPLEMENTS = Counter("jiesu_intake_supplements", "Submissions with another text under a known reference, added to their case", ["via"])
REFUSED = Counter("jiesu_intake_refused", "Submissions refused, by reason", ["via", "reason"])
ATTACHMENTS = Counter("jiesu_intake_attachments", "Files sent as attachments: stored, or refused by rule", ["result"])
ATTACHMENTS_CHANGED = Counter("jiesu_intake_attachments_changed", "Stored attachments that were read and no longer had their digest")
INCOMPLETE = Counter("jiesu_intake_incomplete", "Complaints registered without a field that their procedure requires", ["procedure"])
REQUEST_SECONDS = Histogram(
    "jiesu_intake_request_duration_seconds",
    "Real seconds from a request's arrival to its durable answer",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
MAILS = Counter("jiesu_intake_mails", "Mails by what they became: submission, supplement, delivery_report, …", ["outcome"])
MAILBOX_UP = Gauge("jiesu_intake_mailbox_up", "Whether this process could read the mailbox at its last attempt", ["mailbox"])
GROUP_SIZE = Histogram("jiesu_intake_group_items", "Complaints that shared a transaction", buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500))

MAIL_OUTCOMES = ("submission", "supplement", "delivery_report", "auto_reply", "ignored", "duplicate", "refused", "set_aside")
WAYS = ("http", "kafka", "file", "webhook", "mail", "form")
REASONS = frozenset(
    {
        *("malformed", "missing", "invalid", "implausible", "too_large", "channel", "source", "entered_by", "key", "rate", "overloaded"),
        *("key_reused", "reference_reused", "mapping", "signature"),
    }
)


def count_refused(via: str, reason: str, count: int = 1) -> None:
    """Count refusals; a reason outside the list counts as `invalid`."""
    REFUSED.labels(via, reason if reason in REASONS else "invalid").inc(count)


def count_registered(procedure: str, channel: str) -> None:
    """Count a registration; a channel outside the vocabulary counts as `other`."""
    REGISTERED.labels(procedure, bounded(channel, CHANNEL_FAMILIES)).inc()


def initialise(procedures: Iterable[str]) -> None:
    """Create the time series of the counters: an increase from nothing would not be seen."""
    for via in WAYS:
        for counter in (RECEIVED, DUPLICATES, SUPPLEMENTS):
            counter.labels(via)
        for reason in REASONS:
            REFUSED.labels(via, reason)
    for outcome in MAIL_OUTCOMES:
        MAILS.labels(outcome)
    for result in ("stored", "too_large", "empty", "type", "virus", "erased"):
        ATTACHMENTS.labels(result)
    for procedure in procedures:
        INCOMPLETE.labels(procedure)
        for channel in CHANNEL_FAMILIES:
            REGISTERED.labels(procedure, channel)
