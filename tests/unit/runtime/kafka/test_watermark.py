"""The watermark passes an instant only after everything before it has been read and committed."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from shared.runtime.clock import Clock
from shared.runtime.kafka.watermark import Watermark

A3, B3, A4, B4 = (TopicPartition(t, p) for p in (3, 4) for t in ("a", "b"))
T = datetime(2026, 1, 5, 9, tzinfo=UTC)
MS = int(T.timestamp() * 1000)


class Broker:
    def __init__(self) -> None:
        self.ends: dict[TopicPartition, int] = {}
        self.positions: dict[TopicPartition, int] = {}
        self.down = False

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        if self.down:
            raise KafkaConnectionError
        return {p: self.ends.get(p, 0) for p in partitions}

    async def position(self, partition: TopicPartition) -> int:
        return self.positions.get(partition, 0)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def watermark(broker: Broker) -> Watermark:
    watermark = Watermark(Clock(), ["a", "b"], timedelta(0))
    watermark.attach(broker, broker)
    watermark.on_assigned([A3, B3, A4])
    return watermark


def test_nothing_has_passed_after_the_assignment(watermark: Watermark) -> None:
    assert not watermark.has_passed(3, T - timedelta(days=9999))


def test_only_partitions_owned_in_all_topics_count(watermark: Watermark) -> None:
    assert watermark.owned_partitions() == [3]
    assert not watermark.has_passed(4, T)
    assert not watermark.has_passed(7, T)


def test_every_topic_has_to_be_read_past_the_instant(watermark: Watermark) -> None:
    watermark.on_committed({A3: MS + 1})
    assert not watermark.has_passed(3, T)
    watermark.on_committed({B3: MS + 5})
    assert watermark.has_passed(3, T)


def test_a_further_record_may_have_the_same_millisecond(watermark: Watermark) -> None:
    watermark.on_committed({A3: MS, B3: MS})
    assert not watermark.has_passed(3, T)


async def test_reaching_the_end_offset_passes_instants_before_the_request(watermark: Watermark, broker: Broker) -> None:
    before = datetime.now(UTC)
    broker.ends = {A3: 5, B3: 0}
    broker.positions = {A3: 5}
    await watermark.refresh([3])
    assert watermark.has_passed(3, before)
    assert not watermark.has_passed(3, datetime.now(UTC) + timedelta(seconds=1))


async def test_a_position_before_the_end_offset_passes_nothing(watermark: Watermark, broker: Broker) -> None:
    broker.ends = {A3: 5}
    broker.positions = {A3: 4}
    await watermark.refresh([3])
    assert not watermark.has_passed(3, T)
    assert watermark.lag_by_topic == {"a": 1, "b": 0}


async def test_the_position_of_a_running_batch_passes_nothing(watermark: Watermark, broker: Broker) -> None:
    broker.ends = broker.positions = {A3: 5}
    watermark.on_fetched([A3])
    await watermark.refresh([3])
    assert not watermark.has_passed(3, T)
    watermark.on_fetched([])
    await watermark.refresh([3])
    assert watermark.has_passed(3, T)


async def test_what_waits_behind_a_running_batch_counts_as_lag(watermark: Watermark, broker: Broker) -> None:
    """A batch that is repeated for minutes would else show no lag, and the alert on it would not fire."""
    broker.ends, broker.positions = {A3: 70_250}, {A3: 250}
    watermark.on_fetched([A3])
    await watermark.refresh([3])
    assert watermark.lag_by_topic == {"a": 70_000, "b": 0}
    assert not watermark.has_passed(3, T)


async def test_a_batch_rolled_back_during_the_request_passes_nothing(watermark: Watermark, broker: Broker) -> None:
    """The position is read while the batch runs; then the batch is rolled back and its partition rewound."""
    broker.ends = broker.positions = {A3: 5}
    watermark.on_fetched([A3])

    async def position(partition: TopicPartition) -> int:
        if partition == B3:
            watermark.on_fetched([])  # the failed batch's next poll begins
        return broker.positions.get(partition, 0)

    broker.position = position  # type: ignore[method-assign]
    await watermark.refresh([3])
    assert not watermark.has_passed(3, T)


async def test_an_unreachable_broker_changes_nothing(watermark: Watermark, broker: Broker) -> None:
    broker.down = True
    await watermark.refresh([3])
    assert not await watermark.wait_until_passed(3, T, timeout=0.05)


async def test_waiting_ends_after_the_records_have_been_read(watermark: Watermark, broker: Broker) -> None:
    broker.ends = {A3: 1}
    waiting = asyncio.ensure_future(watermark.wait_until_passed(3, T, timeout=5))
    await asyncio.sleep(0)
    broker.positions = {A3: 1}
    assert await waiting


def test_a_new_assignment_starts_without_progress(watermark: Watermark) -> None:
    watermark.on_committed({A3: MS + 9, B3: MS + 9})
    watermark.on_revoked()
    assert watermark.owned_partitions() == []
    watermark.on_assigned([A3, B3])
    assert not watermark.has_passed(3, T)


def test_watermark_is_in_domain_time() -> None:
    clock = Clock(T, T, 3600)
    watermark = Watermark(clock, ["a"], timedelta(0))
    watermark.on_assigned([A3])
    watermark.on_committed({A3: MS + 1001})
    assert watermark.read_until(3) == T + timedelta(hours=1)


async def test_clock_tolerance_is_subtracted_from_the_instant_of_the_request(broker: Broker) -> None:
    watermark = Watermark(Clock(), ["a"], timedelta(hours=1))
    watermark.attach(broker, broker)
    watermark.on_assigned([A3])
    await watermark.refresh([3])
    now = datetime.now(UTC)
    assert watermark.has_passed(3, now - timedelta(minutes=61))
    assert not watermark.has_passed(3, now - timedelta(minutes=59))
