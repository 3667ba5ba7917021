"""Whatever its id and whenever it comes again within the retention: a record is claimed once."""

from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.database.transaction import Transaction
from shared.runtime.kafka.record import LOG_APPEND_TIME, RawRecord, ReceivedRecord
from shared.runtime.processing import inbox

DAY_MS = 86_400_000
FIRST_DAY = 20_000
RECEIVED = datetime(2026, 11, 1, tzinfo=UTC)


class MemoryInbox:
    """The two statements of a claim over a set."""

    def __init__(self) -> None:
        self.rows: set[tuple[Any, ...]] = set()

    async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
        if sql is inbox._CLAIM:
            new = [row for row in zip(*arguments, strict=True) if row not in self.rows]
            self.rows.update(new)
            return new
        ids, slots = arguments
        return [{"id": row[0], "topic": row[1]} for row in self.rows if row[0] in ids and row[2] in slots]


def record(event_id: UUID, timestamp_ms: int, timestamp_type: int) -> ReceivedRecord:
    raw = RawRecord(
        topic="t",
        partition=0,
        offset=0,
        timestamp_ms=timestamp_ms,
        timestamp_type=timestamp_type,
        key="k",
        raw_key=b"k",
        body=b"",
        headers=(),
    )
    return ReceivedRecord(
        raw=raw,
        id=event_id,
        type="t",
        at=RECEIVED,
        recorded_at=RECEIVED,
        headers={},
        event=None,
        source="s",
        sequence=None,
        traceparent=None,
    )


@given(
    appended=st.one_of(st.integers(0, DAY_MS - 1), st.integers(0, 700_000), st.integers(DAY_MS - 700_000, DAY_MS - 1)),
    made_after=st.one_of(st.none(), st.integers(-60 * DAY_MS, 60 * DAY_MS), st.integers(-700_000, 700_000)),
    again_after=st.integers(0, 29 * DAY_MS),
    read_after_days=st.integers(0, 1),
    timestamp_type=st.sampled_from([LOG_APPEND_TIME, 0]),
)
async def test_a_record_is_claimed_once(
    appended: int, made_after: int | None, again_after: int, read_after_days: int, timestamp_type: int
) -> None:
    first_ms = FIRST_DAY * DAY_MS + appended
    made = 0 if made_after is None else first_ms + made_after
    event_id = UUID(int=made << 80 | (4 if made_after is None else 7) << 76 | 2 << 62 | 1)
    tx = cast("Transaction", MemoryInbox())
    read_on = FIRST_DAY + read_after_days
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox, "today_utc", lambda: read_on)
        assert len(await inbox.claim(tx, [record(event_id, first_ms, timestamp_type)])) == 1
        again_ms = first_ms + again_after
        patch.setattr(inbox, "today_utc", lambda: max(read_on, again_ms // DAY_MS))
        assert await inbox.claim(tx, [record(event_id, again_ms, timestamp_type)]) == []
