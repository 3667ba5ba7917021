"""One PostgreSQL schema a service: the pool, transactions with raw access for `unnest`, and what to do after a commit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any, cast

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.runtime.errors import Unavailable
from shared.runtime.process.failures import is_infrastructure
from shared.runtime.process.settings import RuntimeSettings

__all__ = ["Database", "Transaction", "is_infrastructure"]

_CONNECTION_ERRORS = (ConnectionError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Transaction:
    """An open transaction: `connection` is SQLAlchemy's, the methods speak to asyncpg (`$1` parameters); both are the same one."""

    def __init__(
        self,
        database: "Database",
        connection: AsyncConnection,
        driver_connection: asyncpg.Connection,
        driver_transaction: asyncpg.transaction.Transaction,
    ) -> None:
        self.database = database
        self.connection = connection
        self.driver_connection = driver_connection
        self._driver_transaction = driver_transaction
        self._after: list[Callable[[], None]] = []

    async def commit(self) -> None:
        """Send COMMIT."""
        await self._driver_transaction.commit()

    async def rollback(self) -> None:
        """Roll back; a connection on which that fails is closed, so that the pool never lends an open transaction."""
        try:
            await self._driver_transaction.rollback()
        except (*_CONNECTION_ERRORS, TimeoutError, asyncio.CancelledError):
            await _discard_connection(self.connection, self.driver_connection)

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
        """Run a statement and return its command tag, e.g. `DELETE 3`."""
        return cast("str", await self.driver_connection.execute(sql, *args))

    async def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once a row; `unnest` is faster where it fits."""
        await self.driver_connection.executemany(sql, rows)

    async def copy_rows(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add rows, in order, by COPY: less than half of what `unnest` costs, where no row can be there already."""
        if rows:
            await self.driver_connection.copy_records_to_table(table, columns=columns, records=rows)

    def savepoint(self) -> AbstractAsyncContextManager[object]:
        """A part that can be rolled back alone: `async with tx.savepoint(): …`."""
        return cast("AbstractAsyncContextManager[object]", self.driver_connection.transaction())

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call once the transaction has been committed; not at all if it is rolled back."""
        self._after.append(callback)

    def run_commit_callbacks(self) -> None:
        """Run what waits for the commit."""
        for callback in self._after:
            callback()


class Database:
    """The pool of one service; its search path is the service's schema, its sessions have limits for locks and idling."""

    def __init__(self, settings: RuntimeSettings, schema: str) -> None:
        self.schema = schema
        self.settings = settings
        self.engine = _engine(settings, schema)
        self.outbox_added = asyncio.Event()
        self.timers_armed = asyncio.Event()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """BEGIN, COMMIT at the end or ROLLBACK on any error, which is raised on; a lost connection is Unavailable."""
        tx = await self._begin()
        async with aclosing(tx.connection):
            try:
                yield tx
                await tx.commit()
            except BaseException as error:
                lost = tx.driver_connection.is_closed()
                await tx.rollback()
                if lost and isinstance(error, Exception) and not is_infrastructure(error):
                    raise Unavailable("the database connection was lost") from error
                raise
        tx.run_commit_callbacks()

    async def _begin(self) -> Transaction:
        """An open transaction; connections that died in the pool are found out before anything is done, and replaced."""
        for _ in range(self.settings.database_pool + 1):
            connection = await self.engine.connect()
            raw = cast("asyncpg.Connection", (await connection.get_raw_connection()).driver_connection)
            try:
                # SQLAlchemy would send BEGIN with its first statement: one more, and 200 µs.
                begun = raw.transaction()
                await begun.start()
            except BaseException as error:
                await _discard_connection(connection, raw)
                await connection.close()
                if not isinstance(error, _CONNECTION_ERRORS):
                    raise
            else:
                return Transaction(self, connection, raw, begun)
        raise Unavailable("no database connection lasted until a transaction had begun")

    async def ping(self) -> None:
        """Raise what a session raises now."""
        async with self.transaction():
            pass

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()


async def _discard_connection(connection: AsyncConnection, raw: asyncpg.Connection) -> None:
    """Close the connection itself at once; the pool makes a new one."""
    raw.terminate()
    await connection.invalidate()


def _engine(settings: RuntimeSettings, schema: str) -> AsyncEngine:
    url = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql+asyncpg")

    def milliseconds(seconds: float) -> str:
        return str(int(seconds * 1000))

    return create_async_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=settings.database_pool,
        max_overflow=0,
        pool_timeout=settings.lock_timeout,
        connect_args={
            "timeout": 10,
            "command_timeout": settings.command_timeout,
            "server_settings": {
                "search_path": schema,
                "application_name": f"jiesu-{schema}",
                "timezone": "UTC",
                "jit": "off",
                "lock_timeout": milliseconds(settings.lock_timeout),
                "statement_timeout": milliseconds(settings.command_timeout),
                "idle_in_transaction_session_timeout": milliseconds(settings.idle_in_transaction_timeout),
            },
        },
    )
