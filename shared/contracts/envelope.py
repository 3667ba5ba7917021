"""CloudEvents in binary mode: attributes in ASCII headers, the JSON event in the body."""

from datetime import datetime
from typing import NamedTuple

SPEC_VERSION = "1.0"
ID = "ce_id"
TYPE = "ce_type"
SOURCE = "ce_source"
TIME = "ce_time"
VERSION = "ce_specversion"
SEQUENCE = "ce_sequence"
BY = "ce_by"
TRACE = "traceparent"
KEY_ID = "jiesu-key"
SIGNATURE = "jiesu-signature"


class Message(NamedTuple):
    """One record to publish.

    `key` is the case id, `id` a UUIDv7 (or a deterministic UUIDv5), `type` an event's name, `body` JSON, `at` when it happened,
    `by` who decided it, where another than `source` did (an extension of ours).
    """

    topic: str
    key: str
    id: str
    type: str
    at: datetime
    body: bytes
    source: str
    sequence: int = 0
    traceparent: str | None = None
    by: str = ""

    def attributes(self) -> list[tuple[str, str]]:
        """CloudEvents attributes by the names of their Kafka headers, ASCII only."""
        pairs = [
            (VERSION, SPEC_VERSION),
            (ID, self.id),
            (TYPE, self.type),
            (SOURCE, self.source),
            (TIME, self.at.isoformat()),
            (SEQUENCE, str(self.sequence)),
        ]
        if self.traceparent:
            pairs.append((TRACE, self.traceparent))
        if self.by:
            pairs.append((BY, self.by))
        return pairs

    def headers(self) -> list[tuple[str, bytes]]:
        """The attributes as Kafka takes them."""
        return [(name, value.encode("ascii")) for name, value in self.attributes()]


def signed_bytes(topic: str, key: str, event_id: str, body: bytes) -> bytes:
    """What a signature in `jiesu-signature` covers: topic, key, ce_id and body, each after its length, so that none can be shifted."""
    parts = (topic.encode(), key.encode(), event_id.encode(), body)
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
