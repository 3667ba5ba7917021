"""Decodes and verifies Kafka records, each on its own."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel

from shared.contracts import envelope
from shared.contracts.base import CASE_ID_PATTERN
from shared.contracts.events.base import CaseEvent
from shared.runtime.clock import Clock
from shared.runtime.errors import Rejected
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.kafka.record import LOG_APPEND_TIME, FailedRecord, RawRecord, ReceivedRecord
from shared.runtime.process.failures import redacted_reason
from shared.runtime.tracing.context import valid_traceparent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_SEQUENCE_DIGITS = 18  # fits a bigint
# Errors that a record can cause; those of pydantic, orjson and Rejected are ValueErrors.
_RECORD_ERRORS = (ValueError, LookupError, TypeError, ArithmeticError, RecursionError)

EventDecoder = Callable[[str, bytes], BaseModel]
"""Decodes a body by its event type; raises ValueError."""
RecordVerifier = Callable[[ReceivedRecord], str | None]
"""Raises what makes a dead letter; returns the sender that the signature proves, None where there is none.

Of a record whose body cannot be decoded, `event` is None: who signed it is verified all the same, so that its sender can be limited.
"""


class RecordDecoder:
    """Turns raw records into received ones; see `Service.subscribe` for the parameters."""

    def __init__(
        self,
        decode: EventDecoder,
        clock: Clock,
        verify: RecordVerifier | None = None,
        event_types: Mapping[str, frozenset[str]] | None = None,
        own_echoes: Collection[tuple[str, str]] = (),
    ) -> None:
        self._decode = decode
        self._clock = clock
        self._verify = verify
        self._event_types = {topic: frozenset(name.encode() for name in names) for topic, names in (event_types or {}).items()}
        self._own_echoes = frozenset((event_type.encode(), by.encode()) for event_type, by in own_echoes)

    def should_process(self, topic: str, headers: Iterable[tuple[str, bytes | None]]) -> bool:
        """Whether the service processes records of this type; one without a type is processed, so that it becomes a dead letter."""
        event_types = self._event_types.get(topic)
        if event_types is None:
            return True
        values = dict(headers)
        event_type = values.get(envelope.CE_TYPE)
        if event_type is None:
            return True
        # By header alone: decoding all of case-events cost more than handling what matters, and newer types became dead letters (ADR 24).
        return event_type in event_types and (event_type, values.get(envelope.CE_BY)) not in self._own_echoes

    def decode(self, raw: RawRecord, partition_count: int) -> ReceivedRecord | FailedRecord:
        """Decode and verify a record of a topic with `partition_count` partitions; raises nothing that the record causes."""
        try:
            undecoded = self._undecoded(raw, partition_count)
        except _RECORD_ERRORS as error:
            return FailedRecord(raw, redacted_reason(error))
        try:
            received = replace(undecoded, event=self._decode(undecoded.type, raw.body or b""))
            _check_case(received)
        except _RECORD_ERRORS as error:
            return FailedRecord(raw, redacted_reason(error), self._proven_sender(undecoded))
        try:
            sender = None if self._verify is None else self._verify(received)
        except _RECORD_ERRORS as error:
            return FailedRecord(raw, redacted_reason(error))
        return received if sender is None else replace(received, sender=sender)

    def _proven_sender(self, undecoded: ReceivedRecord) -> str | None:
        try:
            return None if self._verify is None else self._verify(undecoded)
        except _RECORD_ERRORS:
            return None

    def _undecoded(self, raw: RawRecord, partition_count: int) -> ReceivedRecord:
        _check_key(raw, partition_count)
        headers = _text_headers(raw)
        event_type = _required(headers, envelope.CE_TYPE)
        return ReceivedRecord(
            raw=raw,
            id=_uuid(_required(headers, envelope.CE_ID)),
            type=event_type,
            at=_instant(_required(headers, envelope.CE_TIME)),
            recorded_at=self._recorded_at(raw),
            headers=headers,
            event=None,
            source=headers.get(envelope.CE_SOURCE, ""),
            sequence=_sequence(headers.get(envelope.CE_SEQUENCE)),
            traceparent=valid_traceparent(headers.get(envelope.TRACEPARENT_HEADER)),
        )

    def _recorded_at(self, raw: RawRecord) -> datetime:
        """The broker's timestamp; a producer could choose a CreateTime at will, so such a record counts from now."""
        if raw.timestamp_type != LOG_APPEND_TIME:
            return self._clock.now()
        return self._clock.to_domain(_EPOCH + timedelta(milliseconds=raw.timestamp_ms))


def _check_key(raw: RawRecord, partition_count: int) -> None:
    if raw.raw_key is None:
        raise Rejected("the record has no key")
    # A client with another partitioner (librdkafka's default) would put a case on a second partition, where its order is lost.
    if partition_of(raw.raw_key, partition_count) != raw.partition:
        raise Rejected(f"the record is not on its key's partition (murmur2 of the key, {partition_count} partitions)")
    # The text differs from the bytes if they are not UTF-8, hold NUL or are too long.
    if raw.key.encode() != raw.raw_key or not CASE_ID_PATTERN.fullmatch(raw.key):
        raise Rejected("the key is not 1 to 200 printable characters of UTF-8")


def _check_case(received: ReceivedRecord) -> None:
    # Under another key it would come in no order with the records of its case.
    if isinstance(received.event, CaseEvent) and received.event.case != received.key:
        raise Rejected("the record's key is not the case that its event names: send it with the case as key")


def _text_headers(raw: RawRecord) -> dict[str, str]:
    """The headers that are UTF-8; a missing one fails the record only if it is required."""
    headers: dict[str, str] = {}
    for name, value in raw.headers:
        if value is None:
            continue
        try:
            headers[name] = value.decode()
        except UnicodeDecodeError:
            continue
    return headers


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
    return int(text) if text is not None and text.isdecimal() and len(text) <= _MAX_SEQUENCE_DIGITS else None
