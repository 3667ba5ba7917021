"""Concurrent requests share a transaction: while one commits, the next ones gather."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from shared.runtime.database.database import Database, Transaction
from shared.runtime.process.failures import is_infrastructure

Item = TypeVar("Item")
Result = TypeVar("Result")
_QueuedItems = tuple[Sequence[Item], asyncio.Future[Sequence[Result]]]


class GroupCommit(Generic[Item, Result]):
    """Runs `work(tx, items)` for the items of many callers together and answers each once its part is durable.

    A fault of the data fails only the caller that brought it; an outage fails all who shared the transaction.
    """

    def __init__(
        self, database: Database, work: Callable[[Transaction, Sequence[Item]], Awaitable[Sequence[Result]]], max_items: int
    ) -> None:
        self._database = database
        self._work = work
        self._largest = max_items
        self._waiting: deque[_QueuedItems[Item, Result]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def submit(self, items: Sequence[Item]) -> Sequence[Result]:
        """The results of the items, in order, after their commit; raises what the transaction raised."""
        answer: asyncio.Future[Sequence[Result]] = asyncio.get_running_loop().create_future()
        self._waiting.append((items, answer))
        if self._task is None or self._task.done():
            # A task of its own: the caller who happens to come first may hang up.
            self._task = asyncio.create_task(self._drain())
        return await answer

    async def _drain(self) -> None:
        while self._waiting:
            group = [self._waiting.popleft()]
            size = len(group[0][0])
            while self._waiting and size + len(self._waiting[0][0]) <= self._largest:
                group.append(self._waiting.popleft())
                size += len(group[-1][0])
            await self._commit(group)

    async def _commit(self, group: Sequence[_QueuedItems[Item, Result]]) -> None:
        try:
            async with self._database.transaction() as tx:
                results = await self._work(tx, [item for items, _ in group for item in items])
        except Exception as error:  # noqa: BLE001 - every caller gets it
            if len(group) == 1 or is_infrastructure(error):
                for _, answer in group:
                    _fail(answer, error)
                return
            for alone in group:
                await self._commit([alone])
            return
        place = 0
        for items, answer in group:
            if not answer.done():
                answer.set_result(results[place : place + len(items)])
            place += len(items)


def _fail(answer: asyncio.Future[Sequence[Result]], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
