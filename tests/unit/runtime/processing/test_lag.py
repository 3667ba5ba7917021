"""Each record of a batch adds to the lag of its topic; the exemplar is the trace of the slowest one."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from prometheus_client import REGISTRY

from shared.runtime.http.request_metrics import exposition_for
from shared.runtime.kafka.record import FailedRecord, RawRecord, ReceivedRecord
from shared.runtime.processing.batch import measure_lag

COMMITTED = datetime(2026, 11, 28, 8, tzinfo=UTC)
TRACE = "00-{:032x}-00f067aa0ba902b7-01"


def received(topic: str, age_ms: int, trace: int) -> ReceivedRecord:
    return ReceivedRecord(
        raw=raw(topic, age_ms),
        id=UUID(int=1),
        type="noted",
        at=COMMITTED,
        recorded_at=COMMITTED,
        headers={},
        event=None,
        source="test",
        sequence=None,
        traceparent=TRACE.format(trace),
    )


def raw(topic: str, age_ms: int) -> RawRecord:
    timestamp = int(COMMITTED.timestamp() * 1000) - age_ms
    return RawRecord(
        topic=topic, partition=0, offset=0, timestamp_ms=timestamp, timestamp_type=1, key="c", raw_key=b"c", body=b"", headers=()
    )


def observed(topic: str, le: str) -> float | None:
    return REGISTRY.get_sample_value("jiesu_record_lag_seconds_bucket", {"topic": topic, "le": le})


def test_lag_is_counted_by_topic_with_the_trace_of_the_slowest_record() -> None:
    batch: list[ReceivedRecord | FailedRecord] = [
        received("lag-a", 20, 0xA1),
        received("lag-a", 4_000, 0xA2),
        FailedRecord(raw("lag-b", 40_000), "bad"),
        received("lag-b", -9, 0xB1),
    ]
    measure_lag(batch, COMMITTED)
    assert [observed("lag-a", le) for le in ("0.01", "0.025", "2.5", "5.0", "+Inf")] == [0, 1, 1, 2, 2]
    # A clock of ours that is behind the broker's makes no negative lag.
    assert [observed("lag-b", le) for le in ("0.01", "30.0", "60.0")] == [1, 1, 2]
    text = exposition_for("application/openmetrics-text;version=1.0.0")[0].decode()
    lines = [line for line in text.splitlines() if line.startswith("jiesu_record_lag_seconds_bucket") and "#" in line]
    assert [line for line in lines if 'topic="lag-a"' in line and f'trace_id="{0xA2:032x}"' in line]
    assert not [line for line in lines if f"{0xA1:032x}" in line]
