"""One PostgreSQL schema a service: the pool, transactions with raw access for `unnest`, and what to do after a commit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any, cast

import asyncpg
from sqlalchemy import exc
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.runtime.errors import Unavailable
from shared.runtime.failures import is_infrastructure
from shared.runtime.settings import RuntimeSettings

__all__ = ["Database", "Transaction", "is_infrastructure"]


class Transaction:
    """An open transaction: `connection` is SQLAlchemy's, the methods speak to asyncpg (`$1` parameters); both are the same one."""

    def __init__(self, database: "Database", connection: AsyncConnection, raw: asyncpg.Connection) -> None:
        self.database = database
        self.connection = connection
        self.raw = raw
        self._after: list[Callable[[], None]] = []

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """All rows of a query."""
        return cast("list[asyncpg.Record]", await self.raw.fetch(sql, *args))

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        """The first row or None."""
        return await self.raw.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """The first column of the first row or None."""
        return await self.raw.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        """Run a statement and return its command tag, e.g. `DELETE 3`."""
        return cast("str", await self.raw.execute(sql, *args))

    async def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once a row; `unnest` is faster where it fits."""
        await self.raw.executemany(sql, rows)

    async def copy(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add rows, in order, by COPY: less than half of what `unnest` costs, where no row can be there already."""
        if rows:
            await self.raw.copy_records_to_table(table, columns=columns, records=rows)

    def savepoint(self) -> AbstractAsyncContextManager[object]:
        """A part that can be rolled back alone: `async with tx.savepoint(): …`."""
        return cast("AbstractAsyncContextManager[object]", self.raw.transaction())

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call once the transaction has been committed; not at all if it is rolled back."""
        self._after.append(callback)

    def committed(self) -> None:
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
        async with aclosing(await self._begun()) as connection:
            raw = cast("asyncpg.Connection", (await connection.get_raw_connection()).driver_connection)
            tx = Transaction(self, connection, raw)
            try:
                yield tx
            except Exception as error:
                if raw.is_closed():
                    await connection.invalidate()
                    if not is_infrastructure(error):
                        raise Unavailable("the database connection was lost") from error
                raise
            await connection.commit()
        tx.committed()

    async def _begun(self) -> AsyncConnection:
        """A connection in a transaction; one that died in the pool is found out before anything is done, and replaced."""
        try:
            return await self._begin()
        except exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return await self._begin()

    async def _begin(self) -> AsyncConnection:
        # SQLAlchemy sends BEGIN with its first statement; without one, raw statements would commit one by one.
        # It finds a dead connection too: `pool_pre_ping` would take three more round trips for that.
        connection = await self.engine.connect()
        try:
            await connection.exec_driver_sql("SELECT 1")
        except BaseException:
            await connection.close()
            raise
        return connection

    async def ping(self) -> None:
        """Raise what a session raises now."""
        async with self.transaction():
            pass

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()


def _engine(settings: RuntimeSettings, schema: str) -> AsyncEngine:
    url = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql+asyncpg")

    def milliseconds(seconds: float) -> str:
        return str(int(seconds * 1000))

    return create_async_engine(
        url,
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
