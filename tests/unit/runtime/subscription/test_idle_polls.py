"""Polls wait longer while nothing arrives; the first record ends each of them."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from shared.runtime.kafka.connection import FETCHER_OPTIONS
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.process.health import Health
from shared.runtime.subscription.consumer import IDLE_FETCH_MS, PollState, PollTrackingConsumer

PARTITION = TopicPartition("t", 0)


async def test_only_the_polls_after_one_without_records_wait_as_long_as_a_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[dict[TopicPartition, list[Any]]] = [{}, {}, {PARTITION: [SimpleNamespace(offset=1)]}, {}, {}]
    waits: list[int] = []

    async def getmany(*_: object, timeout_ms: int, **__: object) -> dict[TopicPartition, list[Any]]:
        if not timeout_ms:
            return {}  # no fetch has ended
        waits.append(timeout_ms)
        return answers.pop(0)

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", getmany)
    monkeypatch.setattr(PollTrackingConsumer, "_reached_end", lambda *_: False)
    poll_state = PollState(Watermark(None, ["t"], None), Health(), "", 10)  # type: ignore[arg-type]
    consumer = PollTrackingConsumer(poll_state, bootstrap_servers="127.0.0.1:1", consumer_timeout_ms=200)
    consumer._fetcher = SimpleNamespace()
    for _ in range(5):
        await consumer.getmany(timeout_ms=20)
    assert waits == [500, IDLE_FETCH_MS, IDLE_FETCH_MS, 500, IDLE_FETCH_MS]
    assert consumer._consumer_timeout == FETCHER_OPTIONS["consumer_timeout_ms"] / 1000
    consumer._closed = True  # no warning of an unclosed consumer


async def test_records_that_were_taken_are_returned_although_the_next_fetch_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their positions have moved: raised instead, the error would lose them."""
    answers: list[dict[TopicPartition, list[Any]] | KafkaError] = [
        {PARTITION: [SimpleNamespace(offset=1)]},
        TopicAuthorizationFailedError("t"),
        TopicAuthorizationFailedError("t"),
    ]

    async def getmany(*_: object, **__: object) -> dict[TopicPartition, list[Any]]:
        answer = answers.pop(0)
        if isinstance(answer, KafkaError):
            raise answer
        return answer

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", getmany)
    monkeypatch.setattr(PollTrackingConsumer, "_reached_end", lambda *_: False)
    poll_state = PollState(Watermark(None, ["t"], None), Health(), "", 10)  # type: ignore[arg-type]
    consumer = PollTrackingConsumer(poll_state, bootstrap_servers="127.0.0.1:1")
    consumer._fetcher = SimpleNamespace()
    assert [record.offset for record in (await consumer.getmany())[PARTITION]] == [1]
    assert not poll_state.idle.is_set()
    with pytest.raises(TopicAuthorizationFailedError):
        await consumer.getmany()
    consumer._closed = True  # no warning of an unclosed consumer
