"""Group commit: concurrent requests share a transaction, and those that arrive while it commits form the next one."""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.runtime.clock import monotonic
from shared.runtime.database.database import Database, Transaction
from shared.runtime.process.failures import is_infrastructure
from shared.runtime.tracing.context import Activity, working_on

OVERLOAD_CALLERS = 32
"""Fewer callers never make an overload: a pause of the database would otherwise refuse what it can take a moment later."""
Item = TypeVar("Item")
Result = TypeVar("Result")


class OverloadedError(Exception):
    """The caller waited too long, and its transaction has not begun: nothing of it is stored."""


@dataclass(frozen=True, slots=True)
class _Caller(Generic[Item, Result]):
    items: Sequence[Item]
    results: asyncio.Future[Sequence[Result]]
    since: float
    may_be_refused: bool


class GroupCommit(Generic[Item, Result]):
    """Runs `work(tx, items)` for the items of many callers together; each caller gets its results after the commit.

    A fault of the data fails only the caller that sent it; an outage fails every caller of the transaction. While more than 32 wait,
    callers that allow it are refused once they have waited for more than `overload_seconds`, unless their transaction has begun.
    """

    def __init__(
        self,
        database: Database,
        work: Callable[[Transaction, Sequence[Item]], Awaitable[Sequence[Result]]],
        max_items: int,
        overload_seconds: float = math.inf,
    ) -> None:
        self._database = database
        self._work = work
        self._max_items = max_items
        self._overload_seconds = overload_seconds
        self._queue: deque[_Caller[Item, Result]] = deque()
        self._group: Sequence[_Caller[Item, Result]] = ()
        self._task: asyncio.Task[None] | None = None

    def is_overloaded(self) -> bool:
        """Whether at least 32 callers wait, and the first of them for more than `overload_seconds`."""
        if len(self._group) + len(self._queue) < OVERLOAD_CALLERS:
            return False
        return self._is_late(self._group[0] if self._group else self._queue[0])

    async def submit(self, items: Sequence[Item], *, may_be_refused: bool = False) -> Sequence[Result]:
        """The results of the items, in order, after their commit; raises what the transaction raised, or OverloadedError."""
        results: asyncio.Future[Sequence[Result]] = asyncio.get_running_loop().create_future()
        self._queue.append(_Caller(items, results, monotonic(), may_be_refused))
        if self._task is None or self._task.done():
            # A task of its own, so that a caller who disconnects does not cancel the others' transaction.
            self._task = asyncio.create_task(self._commit_queue())
        return await results

    async def _commit_queue(self) -> None:
        # The task has a copy of the context of the caller that started it, but works for all: its log lines are of no trace.
        with working_on(Activity()):
            while self._queue:
                self._refuse_late_callers()
                self._group = self._next_group()
                await self._commit(self._group)
                self._group = ()

    def _refuse_late_callers(self) -> None:
        """Refuse those that waited longest; 32 stay, since a transaction for few would take hardly less time, and all behind it wait."""
        surplus = len(self._queue) - OVERLOAD_CALLERS
        kept: deque[_Caller[Item, Result]] = deque()
        for caller in self._queue:
            if surplus <= 0 or not caller.may_be_refused or not self._is_late(caller):
                kept.append(caller)
                continue
            surplus -= 1
            if not caller.results.done():
                caller.results.set_exception(OverloadedError())
        self._queue = kept

    def _is_late(self, caller: _Caller[Item, Result]) -> bool:
        return monotonic() - caller.since > self._overload_seconds

    def _next_group(self) -> list[_Caller[Item, Result]]:
        group = [self._queue.popleft()]
        size = len(group[0].items)
        while self._queue and size + len(self._queue[0].items) <= self._max_items:
            group.append(self._queue.popleft())
            size += len(group[-1].items)
        return group

    async def _commit(self, group: Sequence[_Caller[Item, Result]]) -> None:
        try:
            async with self._database.transaction() as tx:
                results = await self._work(tx, [item for caller in group for item in caller.items])
        except Exception as error:  # noqa: BLE001 - every caller gets it
            if len(group) == 1 or is_infrastructure(error):
                for caller in group:
                    # A client that has disconnected has cancelled its future, on which a result would raise InvalidStateError.
                    if not caller.results.done():
                        caller.results.set_exception(error)
                return
            for caller in group:
                await self._commit([caller])
            return
        start = 0
        for caller in group:
            if not caller.results.done():
                caller.results.set_result(results[start : start + len(caller.items)])
            start += len(caller.items)
