"""The retries of all batches of one poll together stay below max_poll_interval_ms."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.runtime.clock import Clock
from shared.runtime.dead_letters.breaker import Breaker
from shared.runtime.kafka.record import FailedRecord, RawRecord
from shared.runtime.process import waiting
from shared.runtime.process.health import Health
from shared.runtime.processing import batch
from shared.runtime.processing.batch import BatchProcessor
from shared.runtime.processing.sender_limits import SenderLimits

RETRY_SECONDS = 4.0


class FlakyDatabase:
    """Five transactions fail, the sixth one succeeds, and so on: each batch waits for 1.55 seconds."""

    attempts = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["FlakyDatabase"]:
        self.attempts += 1
        if self.attempts % 6:
            raise ConnectionResetError
        yield self

    async def fetch(self, *_: object) -> list[object]:
        return []


class FailingDecoder:
    """Every record is undecodable, so that the handler is not needed."""

    def decode(self, raw: RawRecord, _: int) -> FailedRecord:
        return FailedRecord(raw, "bad")


@pytest.fixture
async def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    instant, loop, sleep = [1000.0], asyncio.get_running_loop(), asyncio.sleep

    async def advance(seconds: float) -> None:
        if asyncio.get_running_loop() is loop:
            instant[0] += seconds
        else:  # a server that another test left running in a thread
            await sleep(seconds)

    monkeypatch.setattr(batch, "monotonic", lambda: instant[0])
    monkeypatch.setattr(asyncio, "sleep", advance)
    monkeypatch.setattr(waiting, "jitter", lambda seconds: seconds)
    return instant


def undecodable(offset: int) -> RawRecord:
    return RawRecord(topic="t", partition=1, offset=offset, timestamp_ms=0, timestamp_type=1, key="k", raw_key=b"k", body=None, headers=())


async def poll(database: FlakyDatabase, records: int) -> None:
    processor = BatchProcessor(
        database,  # type: ignore[arg-type]
        FailingDecoder(),  # type: ignore[arg-type]
        _unused_handler,
        breaker=Breaker(20, Health()),
        limits=SenderLimits(100, 60),
        health=Health(),
        clock=Clock(),
        batch_size=1,
        retry_seconds=RETRY_SECONDS,
    )
    await processor.process_poll([undecodable(number) for number in range(records)], {"t": 24})


async def _unused_handler(*_: object) -> None:
    await asyncio.Event().wait()


async def test_a_poll_gives_up_when_its_batches_together_have_waited_too_long(now: list[float]) -> None:
    with pytest.raises(ConnectionResetError):
        await poll(FlakyDatabase(), records=10)
    assert now[0] <= 1000 + RETRY_SECONDS


async def test_a_poll_of_few_batches_outlasts_a_short_outage(now: list[float]) -> None:
    database = FlakyDatabase()
    await poll(database, records=2)
    assert database.attempts == 12
    assert now[0] == pytest.approx(1000 + 2 * 1.55)
