"""sla's records from the command line: one question to its schema, and one sentence where it cannot be asked."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NoReturn, TypeVar
from zoneinfo import ZoneInfo

import asyncpg
import typer
from sqlalchemy.exc import DBAPIError

from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.errors import Unavailable
from shared.runtime.process.failures import redacted_reason
from shared.runtime.process.settings import RuntimeSettings

EXIT_UNUSABLE = 2
REPORT_ZONE = ZoneInfo("Asia/Shanghai")
T = TypeVar("T")


def query_sla(query: Callable[[Database], Awaitable[T]]) -> T:
    """Ask sla's schema; an unreachable or unprepared database ends the command with status 2."""

    async def asked() -> T:
        database = Database(RuntimeSettings(), "sla")
        try:
            return await query(database)
        finally:
            await database.close()

    try:
        return asyncio.run(asked())
    except (OSError, DBAPIError, asyncpg.PostgresError, Unavailable) as error:
        exit_with(f"sla's records cannot be read ({redacted_reason(error)}): check DATABASE_URL, and that sla has run once")


def current_instant() -> datetime:
    """The present instant, on the clock that the services run on."""
    settings = RuntimeSettings()
    return Clock.parse(settings.clock, settings.environment).now()


def exit_with(text: str, status: int = EXIT_UNUSABLE) -> NoReturn:
    """End the command with one sentence."""
    typer.echo(text, err=True)
    raise typer.Exit(status)
