"""A transaction: asyncpg's statements on a connection of SQLAlchemy's pool."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, cast

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    from shared.runtime.database.database import Database

CONNECTION_ERRORS = (ConnectionError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Transaction:
    """An open transaction; the methods take `$1` parameters of asyncpg, `connection` is the same connection for SQLAlchemy.

    BEGIN and COMMIT are asyncpg's, the engine's isolation level is AUTOCOMMIT: with SQLAlchemy's own transaction BEGIN is a statement
    more, 200 µs for each, and `unnest` and COPY, several times faster than VALUES, need asyncpg's connection anyway.
    """

    def __init__(self, database: "Database", connection: AsyncConnection, driver_connection: asyncpg.Connection) -> None:
        self.database = database
        self.connection = connection
        self.driver_connection = driver_connection
        self._driver_transaction: asyncpg.transaction.Transaction
        self._commit_callbacks: list[Callable[[], None]] = []

    async def begin(self) -> None:
        """Send BEGIN; raises one of CONNECTION_ERRORS when the connection was lost in the pool."""
        self._driver_transaction = self.driver_connection.transaction()
        await self._driver_transaction.start()

    async def commit(self) -> None:
        """Send COMMIT."""
        await self._driver_transaction.commit()

    async def rollback(self) -> None:
        """Send ROLLBACK; if that fails, discard the connection, since the pool must not lend an open transaction."""
        try:
            await self._driver_transaction.rollback()
        except (*CONNECTION_ERRORS, TimeoutError, asyncio.CancelledError):
            await self.discard_connection()

    async def discard_connection(self) -> None:
        """Close the connection at once; the pool opens another one."""
        self.driver_connection.terminate()
        await self.connection.invalidate()

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """All rows of a query."""
        return cast("list[asyncpg.Record]", await self.driver_connection.fetch(sql, *args))

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        """The first row or None."""
        return await self.driver_connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """The first column of the first row or None."""
        return await self.driver_connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        """Execute a statement; returns its command tag, e.g. `DELETE 3`."""
        return cast("str", await self.driver_connection.execute(sql, *args))

    async def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute a statement for each row; `unnest` is faster where it can be used."""
        await self.driver_connection.executemany(sql, rows)

    async def copy_rows(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows in order by COPY, for less than half the cost of `unnest`; a row that exists fails all of them."""
        if rows:
            await self.driver_connection.copy_records_to_table(table, columns=columns, records=rows)

    def savepoint(self) -> AbstractAsyncContextManager[object]:
        """A savepoint, to which an error rolls back: `async with tx.savepoint(): …`."""
        return cast("AbstractAsyncContextManager[object]", self.driver_connection.transaction())

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` after the commit; not at all after a rollback."""
        self._commit_callbacks.append(callback)

    def run_commit_callbacks(self) -> None:
        """Call the callbacks of `after_commit`."""
        for callback in self._commit_callbacks:
            callback()
