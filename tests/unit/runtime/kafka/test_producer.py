"""The producer keeps the order of a partition after a failure and reports an outcome for each record."""

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, MessageSizeTooLargeError

from shared.runtime.kafka.producer import NotSentError, Producer, UnsendableRecordError, UnsendableTopicError

TOPIC = "case-events"


class Builder:
    """Takes three records, as a batch of aiokafka that is full."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def append(self, *, value: bytes, **_: object) -> object:
        if len(self.bodies) == 3:
            return None
        self.bodies.append(value)
        return object()


class Cluster:
    unauthorized_topics: frozenset[str] = frozenset()

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return {0} if topic == TOPIC else None


class Client:
    cluster = Cluster()

    def add_topic(self, topic: str) -> None:
        del topic

    async def force_metadata_update(self) -> bool:
        return True


class Broker:
    """In place of aiokafka's producer: refuses batches over `limit` bytes, does not answer for those that hold `silent`."""

    def __init__(self, limit: int = 1000, silent: bytes = b"") -> None:
        self.client = Client()
        self.stored: list[bytes] = []
        self._limit = limit
        self._silent = silent

    def create_batch(self) -> Builder:
        return Builder()

    async def send_batch(self, batch: Builder, topic: str, *, partition: int) -> "asyncio.Future[None]":
        assert TopicPartition(topic, partition) == TopicPartition(TOPIC, 0)
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._silent and self._silent in batch.bodies:
            return acknowledged
        if sum(map(len, batch.bodies)) > self._limit:
            acknowledged.set_exception(MessageSizeTooLargeError())
        else:
            self.stored += batch.bodies
            acknowledged.set_result(None)
        return acknowledged


@pytest.fixture
def aborted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    aborts: list[Any] = []

    async def abort(self: Producer) -> None:
        aborts.append(self)

    monkeypatch.setattr(Producer, "force_close", abort)
    return aborts


def producer_of(broker: Broker, timeout: float = 5.0) -> Producer:
    producer = Producer({}, timeout)
    producer._current = broker
    return producer


def records(*bodies: bytes, topic: str = TOPIC) -> list[tuple[str, bytes, bytes, list[tuple[str, bytes]]]]:
    return [(topic, b"case-1", body, []) for body in bodies]


async def test_acknowledged_records_have_no_error(aborted: list[Any]) -> None:
    broker = Broker()
    assert await producer_of(broker).send(records(*(b"%d" % n for n in range(7)))) == [None] * 7
    assert broker.stored == [b"%d" % n for n in range(7)]
    assert aborted == []


async def test_no_batch_overtakes_one_that_was_refused_and_the_next_batches_are_smaller(aborted: list[Any]) -> None:
    """Three records of 10 bytes exceed the limit of 25; the next batches are closed after 15 bytes and hold two."""
    broker, bodies = Broker(limit=25), [b"%010d" % n for n in range(6)]
    producer = producer_of(broker)
    outcomes = await producer.send(records(*bodies))
    assert [type(outcome) for outcome in outcomes] == [NotSentError] * 6
    assert broker.stored == []
    assert len(aborted) == 1
    assert await producer.send(records(*bodies)) == [None] * 6
    assert broker.stored == bodies


async def test_a_single_record_over_the_limit_is_unsendable_and_stops_the_ones_behind_it_once(aborted: list[Any]) -> None:
    broker = Broker(limit=25)
    producer = producer_of(broker)
    producer._batch_bytes[TOPIC] = 1
    outcomes = await producer.send(records(b"before", b"x" * 30, b"after"))
    assert [type(outcome) for outcome in outcomes] == [type(None), UnsendableRecordError, NotSentError]
    assert broker.stored == [b"before"]
    assert len(aborted) == 1


async def test_what_was_acknowledged_before_a_time_out_is_reported_as_sent(aborted: list[Any]) -> None:
    broker = Broker(silent=b"3")
    outcomes = await producer_of(broker, timeout=0.05).send(records(*(b"%d" % n for n in range(5))))
    assert outcomes[:3] == [None] * 3
    assert [type(outcome) for outcome in outcomes[3:]] == [TimeoutError] * 2
    assert len(aborted) == 1


@pytest.mark.usefixtures("aborted")
async def test_records_of_an_absent_topic_fail_alone() -> None:
    broker = Broker()
    outcomes = await producer_of(broker).send([*records(b"a"), *records(b"b", topic="absent"), *records(b"c")])
    assert [type(outcome) for outcome in outcomes] == [type(None), UnsendableTopicError, type(None)]
    assert broker.stored == [b"a", b"c"]


async def test_an_error_that_a_retry_can_cure_is_reported_for_all_records_behind_it(
    aborted: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise KafkaTimeoutError

    broker = Broker()
    monkeypatch.setattr(broker, "send_batch", fail)
    outcomes = await producer_of(broker).send(records(*(b"%d" % n for n in range(5))))
    assert [type(outcome) for outcome in outcomes] == [KafkaTimeoutError] * 5
    assert len(aborted) == 1


async def test_producer_whose_stop_fails_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    aborts: list[Any] = []

    async def abort(aborted: Any) -> None:
        aborts.append(aborted)

    class Unreachable(Broker):
        async def stop(self) -> None:
            raise KafkaConnectionError

    monkeypatch.setattr("shared.runtime.kafka.producer.abort_producer", abort)
    broker = Unreachable()
    producer = producer_of(broker)
    await producer.close()
    assert aborts == [broker]
    assert producer._current is None
