"""Raw records keep every byte and are immutable."""

from dataclasses import FrozenInstanceError
from types import SimpleNamespace

import pytest

from shared.runtime.kafka.record import RawRecord, headers_from_json

RECORD = SimpleNamespace(
    topic="test.case-actions",
    partition=1,
    offset=2,
    timestamp=3,
    timestamp_type=1,
    key=b"a\x00\xff",
    value=b"\xff",
    headers=[("a", None), ("b", b"\x00\xff"), ("c", b"")],
)


def test_headers_survive_json() -> None:
    raw = RawRecord.from_kafka(RECORD, "")
    assert headers_from_json(raw.headers_json()) == (("a", None), ("b", b"\x00\xff"), ("c", b""))


def test_key_is_kept_as_bytes_and_as_text_that_postgresql_can_store() -> None:
    raw = RawRecord.from_kafka(RECORD, "test.")
    assert (raw.topic, raw.raw_key, raw.body) == ("case-actions", b"a\x00\xff", b"\xff")
    assert raw.key == "a\ufffd\ufffd"


def test_raw_record_is_immutable() -> None:
    with pytest.raises(FrozenInstanceError):
        RawRecord.from_kafka(RECORD, "").offset = 7  # type: ignore[misc]
