"""Long work in pieces, so that what waits beside it gets its turn."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

YIELD_INTERVAL = 16
T = TypeVar("T")


async def yield_every(items: Iterable[T]) -> AsyncIterator[T]:
    """The items, with a turn for everything else after each `PIECE`.

    Deciding on a batch takes tens of milliseconds; without this the other half of the poll would come one statement further meanwhile.
    """
    for number, item in enumerate(items, 1):
        yield item
        if number % YIELD_INTERVAL == 0:
            await asyncio.sleep(0)
