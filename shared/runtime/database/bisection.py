"""Finds the failing ones of a batch by bisection behind savepoints, within the batch's transaction."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from shared.runtime.database.transaction import Transaction
from shared.runtime.process.failures import is_infrastructure

ItemT = TypeVar("ItemT")


async def apply_or_bisect(
    tx: Transaction,
    items: Sequence[ItemT],
    apply: Callable[[Sequence[ItemT]], Awaitable[None]],
    fail: Callable[[ItemT, Exception], Awaitable[None]],
) -> None:
    """Apply the items behind a savepoint and halve a failing part until the failing item is alone, which `fail` gets with its error.

    Raises infrastructure errors: they concern no item. A lost connection can raise any class of error, so the connection is asked too.
    """
    if not items:
        return
    try:
        async with tx.savepoint():
            await apply(items)
    except Exception as error:
        if tx.driver_connection.is_closed() or is_infrastructure(error):
            raise
        if len(items) == 1:
            await fail(items[0], error)
            return
    else:
        return
    half = len(items) // 2
    await apply_or_bisect(tx, items[:half], apply, fail)
    await apply_or_bisect(tx, items[half:], apply, fail)
