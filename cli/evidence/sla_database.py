"""sla's records from the command line: one question to its schema, and one sentence where it cannot be asked."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import asyncpg
from sqlalchemy.exc import DBAPIError

from cli.exit_status import exit_with
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.errors import Unavailable
from shared.runtime.process.failures import redacted_reason
from shared.runtime.process.settings import RuntimeSettings

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
