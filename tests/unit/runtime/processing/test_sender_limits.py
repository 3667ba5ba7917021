"""A sender of bad input has a token bucket; its records are set aside while it has no token."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.runtime.dead_letters import set_aside
from shared.runtime.kafka.record import FailedRecord, RawRecord, ReceivedRecord
from shared.runtime.processing import sender_limits
from shared.runtime.processing.sender_limits import SenderLimits

T = datetime(2026, 1, 5, 9, tzinfo=UTC)
RAW = RawRecord(
    topic="case-actions", partition=1, offset=1, timestamp_ms=0, timestamp_type=1, key="case-1", raw_key=b"case-1", body=b"", headers=()
)


def record(sender: str | None, key: str = "case-1") -> ReceivedRecord:
    return ReceivedRecord(
        raw=replace(RAW, key=key),
        id=UUID(int=1),
        type="noted",
        at=T,
        recorded_at=T,
        headers={},
        event=None,
        source="",
        sequence=None,
        traceparent=None,
        sender=sender,
    )


def bad(sender: str | None, number: int) -> list[FailedRecord]:
    return [FailedRecord(RAW, "bad", sender)] * number


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    instant = [1000.0]
    monkeypatch.setattr(sender_limits, "monotonic", lambda: instant[0])
    return instant


def test_a_sender_is_limited_after_its_burst_until_a_token_is_refilled(now: list[float]) -> None:
    limits = SenderLimits(burst=5, per_minute=60)
    limits.count_bad(bad("feed", 4))
    assert limits.limited_senders([record("feed")]) == frozenset()
    limits.count_bad(bad("feed", 400))
    assert limits.limited_senders([record("feed"), record("other")]) == {"feed"}
    now[0] += 1
    assert limits.limited_senders([record("feed")]) == frozenset()


@pytest.mark.usefixtures("now")
def test_records_without_a_proven_sender_limit_no_one() -> None:
    limits = SenderLimits(burst=5, per_minute=60)
    limits.count_bad(bad(None, 500))
    assert limits.limited_senders([record(None), record("feed")]) == frozenset()


def test_a_burst_of_zero_switches_the_limit_off() -> None:
    limits = SenderLimits(burst=0, per_minute=60)
    limits.count_bad(bad("feed", 500))
    assert limits.limited_senders([record("feed")]) == frozenset()


def test_later_records_of_a_case_do_not_overtake_one_that_is_set_aside() -> None:
    before, held, behind, elsewhere = record("other"), record("feed"), record("other"), record("other", "case-2")
    parts = set_aside.split([before, held, behind, elsewhere], {"feed"})
    assert parts.to_apply == [before, elsewhere]
    assert parts.to_hold == [held, behind]
