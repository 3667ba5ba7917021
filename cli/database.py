"""Database access of the commands: plain connections, and queries on one service's schema."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NoReturn, TypeVar

import asyncpg
from sqlalchemy.exc import DBAPIError

from cli.exit_status import EXIT_UNUSABLE, exit_with
from shared.runtime.database.database import Database
from shared.runtime.errors import Unavailable
from shared.runtime.process.failures import redacted_reason
from shared.runtime.process.settings import RuntimeSettings

T = TypeVar("T")


@asynccontextmanager
async def connect(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """An asyncpg connection for the length of a block; `database_url` is an SQLAlchemy URL or a plain one."""
    # asyncpg refuses a scheme that names a driver.
    connection = await asyncpg.connect(database_url.replace("postgresql+asyncpg://", "postgresql://", 1))
    try:
        yield connection
    finally:
        await connection.close()


def query_service(service: str, query: Callable[[Database], Awaitable[T]], *, exit_status: int = EXIT_UNUSABLE) -> T:
    """Run a query on a service's schema; a database that cannot be used ends the command with `exit_status`."""

    async def run() -> T:
        database = Database(RuntimeSettings(), service)
        try:
            return await query(database)
        finally:
            await database.close()

    with database_errors_ending_command(service, exit_status):
        return asyncio.run(run())


@contextmanager
def database_errors_ending_command(service: str, exit_status: int = EXIT_UNUSABLE) -> Iterator[None]:
    """A database, or a file, that the block cannot use ends the command with one line and `exit_status`."""
    try:
        yield
    except OSError as error:
        # Errors of connections name no file.
        if error.filename is not None:
            exit_with(f"{error.filename}: cannot be used ({error.strerror})", exit_status)
        _exit_without_database(service, error, exit_status)
    except (DBAPIError, asyncpg.PostgresError, Unavailable) as error:
        _exit_without_database(service, error, exit_status)


def _exit_without_database(service: str, error: Exception, exit_status: int) -> NoReturn:
    exit_with(
        f"the database of {service} cannot be used ({redacted_reason(error)}): check DATABASE_URL, and that `jiesu migrate` has run",
        exit_status,
    )
