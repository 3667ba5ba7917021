"""The topics with their keys, producers, consumers and retention."""

from dataclasses import dataclass
from functools import lru_cache

PARTITIONS = 24  # divisible by 2, 3, 4, 6, 8 and 12 consumers; a change would move the keys of open cases to other partitions
_DAY_MS = 86_400_000
EXTERNAL_SYSTEM = "external"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic; `record_key` describes the key of its records.

    Producers and consumers are service names or `external`; `cleanup` is Kafka's `cleanup.policy`.
    """

    name: str
    record_key: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    description: str
    retention_ms: int = 30 * _DAY_MS
    cleanup: str = "delete"
    partitions: int = PARTITIONS


# One topic for each producing service, with all its event types: a topic for each type would break the order of a case (ADR 24).
COMPLAINT_SUBMISSIONS = Topic(
    "complaint-submissions", "the source's reference", (EXTERNAL_SYSTEM,), ("intake",), "submissions as they arrived", 7 * _DAY_MS
)
COMPLAINT_EVENTS = Topic("complaint-events", "case", ("intake",), ("triage", "desk", EXTERNAL_SYSTEM), "registered")
TRIAGE_EVENTS = Topic(
    "triage-events", "case", ("triage",), ("sla", EXTERNAL_SYSTEM), "classified, routed, route proposed, reclassified, group found"
)
CASE_ACTIONS = Topic("case-actions", "case", (EXTERNAL_SYSTEM, "intake"), ("sla",), "actions, signed")
CASE_EVENTS = Topic(
    "case-events", "case", ("sla",), ("notify", "triage", "desk", EXTERNAL_SYSTEM), "everything that happened, clocks included"
)
NOTIFICATION_EVENTS = Topic("notification-events", "case", ("notify",), ("sla", "desk", EXTERNAL_SYSTEM), "sent, delivered, failed")
# Not on complaint-events: notify would have to read every registration for the few mails that concern it.
MAIL_EVENTS = Topic("mail-events", "case", ("intake",), ("notify",), "reports about mails of ours, acknowledgements of mails")

SERVICES = ("intake", "triage", "sla", "notify", "desk")
# One partition, read by every process without a group. An hour tells who ran lately; longer, it would only be read in vain.
HEARTBEATS = Topic(
    "heartbeats",
    "service and process",
    SERVICES,
    (*SERVICES, EXTERNAL_SYSTEM),
    "each process every few seconds: its state, and what it missed before its start",
    60 * 60 * 1000,
    partitions=1,
)
"""Of no case, and so none of TOPICS."""

TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (COMPLAINT_SUBMISSIONS, COMPLAINT_EVENTS, TRIAGE_EVENTS, CASE_ACTIONS, CASE_EVENTS, NOTIFICATION_EVENTS, MAIL_EVENTS)
}

CREATED_TOPICS = (*TOPICS.values(), HEARTBEATS)
"""The topics that every platform has; those of its departments come with them."""


@lru_cache(maxsize=1000)
def department_topic(department_id: str) -> Topic:
    """The topic of one department: its cases, without the fields that are confidential to it."""
    return Topic(f"department-{department_id}", "case", ("sla",), (EXTERNAL_SYSTEM,), "the department's cases, redacted")
