"""Decodes and verifies Kafka records, each on its own."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel

from shared.contracts import envelope
from shared.runtime.clock import Clock
from shared.runtime.errors import Rejected
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.kafka.record import LOG_APPEND_TIME, FailedRecord, RawRecord, ReceivedRecord
from shared.runtime.process.failures import redacted_reason

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEY_PATTERN = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
# What decoding and verifying raise for a record; pydantic, orjson and Rejected are ValueErrors.
_RECORD_ERRORS = (ValueError, LookupError, TypeError, ArithmeticError, RecursionError)

EventDecoder = Callable[[str, bytes], BaseModel]


class RecordDecoder:
    """Turns raw records into received ones, each on its own.

    `concerns` names by topic the types that the service reads at all, `repeated` by type and `ce_by` its own decisions coming back.
    """

    def __init__(
        self,
        decode: EventDecoder,
        clock: Clock,
        verify: Callable[[ReceivedRecord], None] | None = None,
        event_types: Mapping[str, frozenset[str]] | None = None,
        own_echoes: Collection[tuple[str, str]] = (),
    ) -> None:
        self._decode = decode
        self._clock = clock
        self._verify = verify
        self._event_types = {topic: frozenset(name.encode() for name in names) for topic, names in (event_types or {}).items()}
        self._own_echoes = frozenset((kind.encode(), by.encode()) for kind, by in own_echoes)

    def should_process(self, topic: str, headers: Iterable[tuple[str, bytes | None]]) -> bool:
        """Whether the service reads such a record of a topic; one without a type it does, so that it becomes a dead letter."""
        wanted = self._event_types.get(topic)
        if wanted is None:
            return True
        values = dict(headers)
        kind = values.get(envelope.CE_TYPE)
        return kind is None or (kind in wanted and (kind, values.get(envelope.CE_BY)) not in self._own_echoes)

    def decode(self, raw: RawRecord, partition_count: int) -> ReceivedRecord | FailedRecord:
        """Decode and verify; `partitions` is the topic's number of them. Never raises for what a record contains."""
        try:
            received = self._received(raw, partition_count)
            if self._verify is not None:
                self._verify(received)
        except _RECORD_ERRORS as error:
            return FailedRecord(raw, redacted_reason(error))
        return received

    def _received(self, raw: RawRecord, partitions: int) -> ReceivedRecord:
        _check_key(raw, partitions)
        headers = _texts(raw)
        kind = _required(headers, envelope.CE_TYPE)
        return ReceivedRecord(
            raw=raw,
            id=_uuid(_required(headers, envelope.CE_ID)),
            type=kind,
            at=_instant(_required(headers, envelope.CE_TIME)),
            recorded_at=self._recorded(raw),
            headers=headers,
            event=self._decode(kind, raw.body or b""),
            source=headers.get(envelope.CE_SOURCE, ""),
            sequence=_sequence(headers.get(envelope.CE_SEQUENCE)),
            traceparent=headers.get(envelope.TRACEPARENT_HEADER),
        )

    def _recorded(self, raw: RawRecord) -> datetime:
        """The broker's own timestamp; a producer's claim (CreateTime) is not believed, such a record happens when it is read."""
        if raw.timestamp_type != LOG_APPEND_TIME:
            return self._clock.now()
        return self._clock.to_domain(_EPOCH + timedelta(milliseconds=raw.timestamp_ms))


def _check_key(raw: RawRecord, partitions: int) -> None:
    if raw.raw_key is None:
        raise Rejected("the record has no key")
    if partition_of(raw.raw_key, partitions) != raw.partition:
        raise Rejected(f"the record is not on its key's partition (murmur2 of the key, {partitions} partitions)")
    if raw.key.encode() != raw.raw_key or not _KEY_PATTERN.fullmatch(raw.key):
        raise Rejected("the key is not 1 to 200 printable characters of UTF-8")


def _texts(raw: RawRecord) -> dict[str, str]:
    """Headers that are text; a null or otherwise unreadable one is left out, which only matters if it is needed."""
    texts: dict[str, str] = {}
    for name, value in raw.headers:
        if value is None:
            continue
        try:
            texts[name] = value.decode()
        except UnicodeDecodeError:
            continue
    return texts


def _required(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise Rejected(f"header {name} is missing or not text")
    return value


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Rejected(f"header {envelope.CE_ID} is not a UUID") from error


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise Rejected(f"header {envelope.CE_TIME} is not an ISO 8601 instant") from error
    if instant.tzinfo is None:
        raise Rejected(f"header {envelope.CE_TIME} has no offset")
    return instant


def _sequence(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < 19 else None  # noqa: PLR2004 - a bigint's digits
