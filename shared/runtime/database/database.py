"""The connection pool of a service, whose search path is the service's schema."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import cast

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from shared.runtime.clock import monotonic
from shared.runtime.database.transaction import CONNECTION_ERRORS, Transaction
from shared.runtime.errors import Unavailable
from shared.runtime.process import metrics
from shared.runtime.process.failures import is_infrastructure
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.process.waiting import DueSignal

__all__ = ["Database", "Transaction"]


class Database:
    """A pool of sessions with limits for statements, locks and idle transactions; `pool_size` is that of the settings by default.

    `name` is that of the pool in metrics.
    """

    def __init__(self, settings: RuntimeSettings, schema: str, pool_size: int | None = None, name: str = "requests") -> None:
        self.schema = schema
        self.settings = settings
        self.name = name
        self._pool_size = pool_size or settings.database_pool
        self.engine = _create_engine(settings, schema, self._pool_size)
        self._wait = metrics.DATABASE_WAIT.labels(name)
        self._failures = metrics.DATABASE_FAILURES.labels(name)
        metrics.DATABASE_CONNECTIONS_MAX.labels(name).set(self._pool_size)
        metrics.DATABASE_CONNECTIONS.labels(name).set_function(_connections_in_use(self.engine))
        self.outbox_added = asyncio.Event()
        """Set by a commit that added messages to the outbox."""
        self.timers_armed = DueSignal()
        """Notes the earliest instant of each commit that armed timers."""

    def with_own_connections(self, pool_size: int, name: str = "other") -> "Database":
        """The same database through a pool of its own, whose connections this one's users cannot occupy; the events are shared."""
        database = Database(self.settings, self.schema, pool_size, name)
        database.outbox_added = self.outbox_added
        database.timers_armed = self.timers_armed
        return database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction that is committed at the end of the block, and rolled back by an exception, which is raised again.

        Raises Unavailable when the connection was lost, whichever error that caused in the block.
        """
        tx = await self._measured(self._begin())
        async with aclosing(tx.connection):
            try:
                yield tx
                await tx.commit()
            except BaseException as error:
                if is_infrastructure(error):
                    self._failures.inc()
                # A killed backend can surface as any error in the block, asyncpg's InternalClientError among them.
                lost = tx.driver_connection.is_closed()
                await tx.rollback()
                if lost and isinstance(error, Exception) and not is_infrastructure(error):
                    raise Unavailable("the database connection was lost") from error
                raise
        tx.run_commit_callbacks()

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[Transaction]:
        """A connection whose statements commit one by one: for a single statement, or reads. A transaction takes two round trips more."""
        tx = await self._measured(self._lend())
        async with aclosing(tx.connection):
            try:
                yield tx
            except BaseException as error:
                if is_infrastructure(error):
                    self._failures.inc()
                # Whether a cancelled statement has ended is not known.
                await tx.discard_connection()
                raise

    async def _measured(self, lending: Awaitable[Transaction]) -> Transaction:
        started = monotonic()
        try:
            tx = await lending
        except BaseException as error:
            if is_infrastructure(error):
                self._failures.inc()
            raise
        self._wait.observe(monotonic() - started)
        return tx

    async def _begin(self) -> Transaction:
        # After a restart of the server every connection of the pool is dead; BEGIN is the first statement that shows it.
        for _ in range(self._pool_size + 1):
            tx = await self._lend()
            try:
                await tx.begin()
            except BaseException as error:
                await tx.discard_connection()
                await tx.connection.close()
                if not isinstance(error, CONNECTION_ERRORS):
                    raise
            else:
                return tx
        raise Unavailable("every connection of the pool was lost before its transaction began")

    async def _lend(self) -> Transaction:
        """A connection of the pool that is open as far as this side knows."""
        while True:
            connection = await self.engine.connect()
            driver_connection = cast("asyncpg.Connection", (await connection.get_raw_connection()).driver_connection)
            tx = Transaction(self, connection, driver_connection)
            if not driver_connection.is_closed():
                return tx
            await tx.discard_connection()
            await connection.close()

    async def ping(self) -> None:
        """Execute a statement; raises what prevents it."""
        async with self.autocommit() as tx:
            await tx.execute("SELECT")

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def _connections_in_use(engine: AsyncEngine) -> Callable[[], float]:
    # Weakly: a gauge lives as long as the process, and would keep the pools of all databases that were ever opened.
    reference = weakref.ref(engine)

    def count() -> float:
        alive = reference()
        return 0.0 if alive is None else float(cast("QueuePool", alive.pool).checkedout())

    return count


def _create_engine(settings: RuntimeSettings, schema: str, pool_size: int) -> AsyncEngine:
    url = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql+asyncpg")

    def milliseconds(seconds: float) -> str:
        return str(int(seconds * 1000))

    return create_async_engine(
        url,
        isolation_level="AUTOCOMMIT",  # transactions are asyncpg's, see Transaction
        pool_size=pool_size,
        # Processes times pool sizes must stay below the server's max_connections, so a pool has no reserve.
        max_overflow=0,
        pool_timeout=settings.lock_timeout,
        connect_args={
            "timeout": 10,
            "command_timeout": settings.command_timeout,
            "server_settings": {
                "search_path": schema,
                "application_name": f"jiesu-{schema}",
                "timezone": "UTC",
                "jit": "off",  # compiling takes longer than our short queries
                # At a rebalance the new owner of a partition waits for the old one's row locks; these limits bound the wait.
                "lock_timeout": milliseconds(settings.lock_timeout),
                "statement_timeout": milliseconds(settings.command_timeout),
                "idle_in_transaction_session_timeout": milliseconds(settings.idle_in_transaction_timeout),
            },
        },
    )
