"""Deletes what is past its retention in bounded steps, so that no transaction holds many rows or runs long."""

from collections.abc import Awaitable, Callable

from shared.runtime.database.database import Database, Transaction

ROWS_IN_A_STEP = 1000


async def delete_in_steps(database: Database, delete_step: Callable[[Transaction], Awaitable[int]]) -> int:
    """Call `delete_step`, each time in a transaction of its own, until it deletes nothing; returns how many rows it deleted."""
    total = 0
    while True:
        async with database.transaction() as tx:
            deleted = await delete_step(tx)
        if not deleted:
            return total
        total += deleted
