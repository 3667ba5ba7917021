"""Late refusal: what waited too long is refused before its transaction begins, and nothing else is."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from services.intake.application import group_commit
from services.intake.application.group_commit import OVERLOAD_CALLERS, GroupCommit, OverloadedError
from shared.runtime.database.database import Database

LIMIT = 0.25


class Transactions:
    """A database whose transactions each wait for `may_end`; `begun` lists the items of each."""

    def __init__(self) -> None:
        self.begun: list[list[Any]] = []
        self.may_end = asyncio.Event()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield

    async def work(self, _: object, items: Sequence[Any]) -> Sequence[Any]:
        self.begun.append(list(items))
        await self.may_end.wait()
        if "faulty" in items:
            raise ValueError("a fault of the data")
        return items


class Clock:
    """What `monotonic` returns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(group_commit, "monotonic", clock)
    return clock


@pytest.fixture
async def transactions() -> Transactions:
    return Transactions()


@pytest.fixture
async def group(transactions: Transactions) -> GroupCommit[Any, Any]:
    return GroupCommit(cast("Database", transactions), transactions.work, 500, LIMIT)


async def begin(group: GroupCommit[Any, Any], *items: Any, may_be_refused: bool = True) -> list[asyncio.Task[Any]]:
    """Submit each item by a caller of its own, and let them wait."""
    tasks = [asyncio.create_task(group.submit([item], may_be_refused=may_be_refused)) for item in items]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def results_of(tasks: Sequence[asyncio.Task[Any]]) -> list[Any]:
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_sources_that_waited_too_long_are_refused_before_their_transaction(
    group: GroupCommit[Any, Any], transactions: Transactions, clock: Clock
) -> None:
    first = await begin(group, "first")
    late = await begin(group, *range(40))
    clock.now = LIMIT + 0.01
    in_time = await begin(group, *range(100, 100 + OVERLOAD_CALLERS))
    transactions.may_end.set()
    assert await results_of(first) == [["first"]]
    assert {type(result) for result in await results_of(late)} == {OverloadedError}
    assert await results_of(in_time) == [[number] for number in range(100, 100 + OVERLOAD_CALLERS)]
    assert transactions.begun == [["first"], list(range(100, 100 + OVERLOAD_CALLERS))]


async def test_people_are_taken_however_long_they_waited(group: GroupCommit[Any, Any], transactions: Transactions, clock: Clock) -> None:
    first = await begin(group, "first")
    person = await begin(group, "person", may_be_refused=False)
    late = await begin(group, *range(OVERLOAD_CALLERS))
    clock.now = LIMIT + 0.01
    transactions.may_end.set()
    assert await results_of(first + person) == [["first"], ["person"]]
    assert [type(result) for result in await results_of(late)] == [OverloadedError, *[list] * (OVERLOAD_CALLERS - 1)]


async def test_next_transaction_has_32_callers_though_all_waited_too_long(
    group: GroupCommit[Any, Any], transactions: Transactions, clock: Clock
) -> None:
    await begin(group, "first")
    late = await begin(group, *range(100))
    late[0].cancel()  # its client has disconnected
    clock.now = LIMIT + 0.01
    transactions.may_end.set()
    results = await results_of(late)
    refused = 100 - OVERLOAD_CALLERS
    assert [type(result) for result in results[:refused]] == [asyncio.CancelledError, *[OverloadedError] * (refused - 1)]
    assert results[refused:] == [[number] for number in range(refused, 100)]
    assert transactions.begun == [["first"], list(range(refused, 100))]


async def test_transaction_that_began_is_never_refused(group: GroupCommit[Any, Any], transactions: Transactions, clock: Clock) -> None:
    callers = await begin(group, *range(OVERLOAD_CALLERS), "faulty")
    assert len(transactions.begun) == 1
    clock.now = 60.0
    transactions.may_end.set()
    *taken, faulty = await results_of(callers)
    assert taken == [[number] for number in range(OVERLOAD_CALLERS)]  # one by one, after the fault of another caller
    assert isinstance(faulty, ValueError)


async def test_few_callers_are_taken_however_long_they_waited(
    group: GroupCommit[Any, Any], transactions: Transactions, clock: Clock
) -> None:
    await begin(group, "first")
    few = await begin(group, *range(OVERLOAD_CALLERS))
    clock.now = 60.0
    transactions.may_end.set()
    assert await results_of(few) == [[number] for number in range(OVERLOAD_CALLERS)]
