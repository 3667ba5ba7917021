"""Kafka records as CloudEvents 1.0 in binary content mode: attributes in headers, JSON in the body; and what a signature covers."""

from dataclasses import dataclass
from datetime import datetime

CE_SPEC_VERSION_VALUE = "1.0"
CE_ID = "ce_id"
CE_TYPE = "ce_type"
CE_SOURCE = "ce_source"
CE_TIME = "ce_time"
CE_SPEC_VERSION = "ce_specversion"
CE_SEQUENCE = "ce_sequence"
CE_BY = "ce_by"
TRACEPARENT_HEADER = "traceparent"
KEY_ID_HEADER = "jiesu-key"
SIGNATURE_HEADER = "jiesu-signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudEventRecord:
    """One record to publish.

    `key` is the case id, `id` a UUIDv7 (or a deterministic UUIDv5), `type` the event's name, `body` JSON, `at` when the event happened.
    `by`, an extension attribute, is the service that decided the event, if that is not `source`. `key_id` and `signature` are those of
    a signed record, such as an action.
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
    key_id: str = ""
    signature: str = ""

    def cloudevents_headers(self) -> list[tuple[str, str]]:
        """Header name and value of each attribute, ASCII only."""
        pairs = [
            (CE_SPEC_VERSION, CE_SPEC_VERSION_VALUE),
            (CE_ID, self.id),
            (CE_TYPE, self.type),
            (CE_SOURCE, self.source),
            (CE_TIME, self.at.isoformat()),
            # A message that was set aside and resent follows later ones of its case: readers that need the order use this.
            (CE_SEQUENCE, str(self.sequence)),
        ]
        if self.traceparent:
            pairs.append((TRACEPARENT_HEADER, self.traceparent))
        if self.by:
            pairs.append((CE_BY, self.by))
        if self.signature:
            pairs += [(KEY_ID_HEADER, self.key_id), (SIGNATURE_HEADER, self.signature)]
        return pairs

    def kafka_headers(self) -> list[tuple[str, bytes]]:
        """The headers with values in bytes, as Kafka clients expect them."""
        return [(name, value.encode("ascii")) for name, value in self.cloudevents_headers()]


def signing_input(topic: str, key: str, event_id: str, body: bytes) -> bytes:
    """The bytes that `jiesu-signature` covers: topic, key, ce_id and body.

    Each part follows its length in four bytes, big-endian: otherwise bytes could move from one part to the next under the same signature.
    """
    parts = (topic.encode(), key.encode(), event_id.encode(), body)
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
