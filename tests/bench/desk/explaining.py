"""A database that also measures what PostgreSQL itself needs for each query, which depends little on what else the machine does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from shared.runtime.database.database import Database, Transaction

_EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "


class ExplainedDatabase:
    """Explains each query before it is executed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._milliseconds, self._blocks = 0.0, 0

    async def measure(self, read: Callable[[], Awaitable[Any]], times: int = 3) -> tuple[float, int]:
        """Milliseconds and blocks of a read, the least of so many times: the first one fills the caches."""
        measured = []
        for _ in range(times):
            self._milliseconds, self._blocks = 0.0, 0
            await read()
            measured.append((self._milliseconds, self._blocks))
        return min(measured)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction of the database, whose `fetch` measures."""
        async with self._database.transaction() as tx:
            yield cast("Transaction", _ExplainedTransaction(self, tx))

    def add(self, plan: dict[str, Any]) -> None:
        """Count an explained query."""
        self._milliseconds += plan["Planning Time"] + plan["Execution Time"]
        self._blocks += plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]


class _ExplainedTransaction:
    def __init__(self, database: ExplainedDatabase, tx: Transaction) -> None:
        self._database = database
        self._tx = tx

    async def fetch(self, sql: str, *args: Any) -> Any:
        # A list: SQLAlchemy has set its JSON codec on the connection.
        [plan] = await self._tx.fetchval(_EXPLAIN + sql, *args)
        self._database.add(plan)
        return await self._tx.fetch(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        return await self._tx.execute(sql, *args)
