"""A failing batch is halved until each failing item is alone."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

import pytest

from shared.runtime.database.bisection import apply_or_bisect
from shared.runtime.database.transaction import Transaction


class MemoryTransaction:
    """A transaction over a list, with savepoints."""

    def __init__(self, *, closed: bool = False) -> None:
        self.written: list[int] = []
        self.closed = closed
        self.driver_connection = self

    def is_closed(self) -> bool:
        return self.closed

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        return self._savepoint()

    @asynccontextmanager
    async def _savepoint(self) -> AsyncIterator[None]:
        before = len(self.written)
        try:
            yield
        except BaseException:
            del self.written[before:]
            raise


async def bisect(tx: MemoryTransaction, items: Sequence[int], failing: frozenset[int], error: type[Exception] = ValueError) -> list[int]:
    """Apply the items and return those that failed."""
    failed: list[int] = []

    async def apply(part: Sequence[int]) -> None:
        for item in part:
            tx.written.append(item)
            if item in failing:
                raise error

    async def fail(item: int, _: Exception) -> None:
        failed.append(item)

    await apply_or_bisect(cast("Transaction", cast("Any", tx)), items, apply, fail)
    return failed


@pytest.mark.parametrize("failing", [(), (0,), (6,), (2, 3), tuple(range(7))])
async def test_only_the_failing_items_fail_and_the_others_are_applied_in_order(failing: tuple[int, ...]) -> None:
    tx = MemoryTransaction()
    assert await bisect(tx, range(7), frozenset(failing)) == list(failing)
    assert tx.written == [item for item in range(7) if item not in failing]


async def test_nothing_is_applied_of_nothing() -> None:
    assert await bisect(MemoryTransaction(), [], frozenset()) == []


async def test_an_outage_concerns_no_item() -> None:
    with pytest.raises(ConnectionError):
        await bisect(MemoryTransaction(), range(7), frozenset({1}), ConnectionError)


async def test_any_error_on_a_lost_connection_is_an_outage() -> None:
    with pytest.raises(ValueError, match=r"^$"):
        await bisect(MemoryTransaction(closed=True), range(7), frozenset({1}))
