"""Timestamps never go backwards in a partition, so that a broker with a slower clock invents no breach."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import TopicPartition

from shared.runtime.clock import Clock
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.process.health import Health
from shared.runtime.subscription.broker import _increasing_timestamps
from shared.runtime.subscription.consumer import PollState

T = datetime(2026, 1, 5, 9, tzinfo=UTC)
MS = int(T.timestamp() * 1000)
PARTITION = TopicPartition("actions", 3)


@dataclass
class ConsumerRecord:
    timestamp: int
    partition: int = 3
    timestamp_type: int = 1
    topic: str = "p.actions"


@pytest.fixture
def poll_state() -> PollState:
    watermark = Watermark(Clock(), ["actions"], timedelta(0))
    watermark.on_assigned([PARTITION])
    return PollState(watermark, Health(), "p.", 10)


def timestamps(poll_state: PollState, *records: ConsumerRecord) -> list[int]:
    return _increasing_timestamps(records, poll_state)


def test_a_timestamp_that_goes_backwards_counts_as_the_one_before(poll_state: PollState) -> None:
    records = [ConsumerRecord(MS + 4000), ConsumerRecord(MS), ConsumerRecord(MS, partition=4), ConsumerRecord(MS + 5000)]
    assert timestamps(poll_state, *records) == [MS + 4000, MS + 4000, MS, MS + 5000]


def test_a_record_behind_the_watermark_counts_as_later_than_all_that_may_have_fired(poll_state: PollState) -> None:
    """The leader of the last poll was four seconds ahead: a timer due at MS + 3000 has fired, the new leader stamps MS."""
    poll_state.watermark.on_committed({PARTITION: MS + 4000})
    [timestamp] = timestamps(poll_state, ConsumerRecord(MS))
    assert timestamp == MS + 4000
    assert not poll_state.watermark.has_passed(3, T + timedelta(milliseconds=timestamp - MS))


def test_a_partition_that_was_just_assigned_keeps_its_timestamps(poll_state: PollState) -> None:
    assert timestamps(poll_state, ConsumerRecord(MS)) == [MS]


def test_a_timestamp_of_a_producer_is_left_alone(poll_state: PollState) -> None:
    poll_state.watermark.on_committed({PARTITION: MS})
    assert timestamps(poll_state, ConsumerRecord(1, timestamp_type=0)) == [1]
