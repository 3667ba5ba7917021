"""How far the input has been read, before anything is said to be due."""

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
def mark(broker: Broker) -> Watermark:
    made = Watermark(Clock(), ["a", "b"], timedelta(0))
    made.attach(broker, broker)
    made.on_assigned([A3, B3, A4])
    return made


def test_nothing_has_passed_at_first(mark: Watermark) -> None:
    assert not mark.has_passed(3, T - timedelta(days=9999))


def test_only_partitions_held_in_all_topics_count(mark: Watermark) -> None:
    assert mark.owned_partitions() == [3]
    assert not mark.has_passed(4, T)
    assert not mark.has_passed(7, T)


def test_every_topic_has_to_be_read_past_the_instant(mark: Watermark) -> None:
    mark.on_committed({A3: MS + 1})
    assert not mark.has_passed(3, T)
    mark.on_committed({B3: MS + 5})
    assert mark.has_passed(3, T)


def test_a_record_of_the_same_millisecond_may_have_a_brother(mark: Watermark) -> None:
    mark.on_committed({A3: MS, B3: MS})
    assert not mark.has_passed(3, T)


async def test_an_end_reached_passes_what_lies_before_the_question(mark: Watermark, broker: Broker) -> None:
    before = datetime.now(UTC)
    broker.ends = {A3: 5, B3: 0}
    broker.positions = {A3: 5}
    await mark.refresh([3])
    assert mark.has_passed(3, before)
    assert not mark.has_passed(3, datetime.now(UTC) + timedelta(seconds=1))


async def test_an_end_not_reached_passes_nothing(mark: Watermark, broker: Broker) -> None:
    broker.ends = {A3: 5}
    broker.positions = {A3: 4}
    await mark.refresh([3])
    assert not mark.has_passed(3, T)
    assert mark.lag_by_topic == {"a": 1, "b": 0}


async def test_a_batch_in_hand_has_moved_the_position_but_passes_nothing(mark: Watermark, broker: Broker) -> None:
    broker.ends = broker.positions = {A3: 5}
    mark.on_fetched([A3])
    await mark.refresh([3])
    assert not mark.has_passed(3, T)
    mark.on_fetched([])
    await mark.refresh([3])
    assert mark.has_passed(3, T)


async def test_a_batch_given_back_while_we_ask_passes_nothing(mark: Watermark, broker: Broker) -> None:
    """The position is read while the batch is in hand; by the time we look, it was rolled back and sought back."""
    broker.ends = broker.positions = {A3: 5}
    mark.on_fetched([A3])

    async def position(partition: TopicPartition) -> int:
        if partition == B3:
            mark.on_fetched([])  # the failed batch's next poll begins
        return broker.positions.get(partition, 0)

    broker.position = position  # type: ignore[method-assign]
    await mark.refresh([3])
    assert not mark.has_passed(3, T)


async def test_a_broker_that_does_not_answer_changes_nothing(mark: Watermark, broker: Broker) -> None:
    broker.down = True
    await mark.refresh([3])
    assert not await mark.wait_until_passed(3, T, timeout=0.05)


async def test_waiting_ends_when_the_records_have_been_read(mark: Watermark, broker: Broker) -> None:
    broker.ends = {A3: 1}
    waiting = asyncio.ensure_future(mark.wait_until_passed(3, T, timeout=5))
    await asyncio.sleep(0)
    broker.positions = {A3: 1}
    assert await waiting


def test_a_new_assignment_starts_anew(mark: Watermark) -> None:
    mark.on_committed({A3: MS + 9, B3: MS + 9})
    mark.on_revoked()
    assert mark.owned_partitions() == []
    mark.on_assigned([A3, B3])
    assert not mark.has_passed(3, T)


def test_tolerance_and_scale_apply() -> None:
    clock = Clock(T, T, 3600)
    mark = Watermark(clock, ["a"], timedelta(0))
    mark.on_assigned([A3])
    mark.on_committed({A3: MS + 1001})
    assert mark.read_until(3) == T + timedelta(hours=1)
