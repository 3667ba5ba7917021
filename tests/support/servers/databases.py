"""Creates and drops databases on a running PostgreSQL server."""

from itertools import count
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from shared.runtime.database.database import Database
from shared.runtime.database.migrate import migrate
from shared.runtime.process.settings import RuntimeSettings

PACKAGES = {
    **{name: f"services.{name}.migrations" for name in ("intake", "triage", "sla", "notify", "desk")},
    "probe": "tests.integration.runtime.migrations",
}
PREFIX = "jiesu_test_"
_SESSION = token_hex(3)
_numbers = count(1)


class Databases:
    """Creates and drops databases through the maintenance database at `url` (SQLAlchemy, asyncpg).

    `copy_files` has PostgreSQL copy files instead of writing every page to its log: half the time where a checkpoint is cheap.
    """

    def __init__(self, url: str, *, copy_files: bool = False) -> None:
        self._url = url
        self._strategy = "FILE_COPY" if copy_files else "WAL_LOG"
        self._template = ""

    async def create_migrated(self) -> str:
        """Create a database in which every service's schema, and the probe's, is at its newest revision; return its URL."""
        if not self._template:
            url = await self.create()
            settings = RuntimeSettings(environment="test", database_url=url)
            for schema, package in PACKAGES.items():
                database = Database(settings, schema)
                await migrate(database, package)
                await database.close()
            self._template = database_name(url)
        return await self.create(self._template)

    async def create(self, template: str = "template0") -> str:
        """Create a copy of database `template`, which must have no connections, and return its URL."""
        name = f"{PREFIX}{_SESSION}_{next(_numbers)}"
        await self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY {self._strategy}')
        return self.url(name)

    async def drop(self, url: str) -> None:
        """Drop the database at `url`, its connections included."""
        await self._run(f'DROP DATABASE IF EXISTS "{database_name(url)}" WITH (FORCE)')

    async def drop_left_over(self) -> None:
        """Drop the databases of earlier runs that were killed."""
        connection = await asyncpg.connect(asyncpg_dsn(self._url))
        rows = await connection.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", PREFIX)
        await connection.close()
        for row in rows:
            await self.drop(self.url(row["datname"]))

    def url(self, name: str) -> str:
        """SQLAlchemy URL of the database `name` on the same server."""
        parts = urlsplit(self._url)
        return urlunsplit(parts._replace(netloc=parts.netloc or "", path=f"/{name}"))

    async def _run(self, statement: str) -> None:
        connection = await asyncpg.connect(asyncpg_dsn(self._url))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def asyncpg_dsn(url: str) -> str:
    """Return the URL as asyncpg itself takes it."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


def database_name(url: str) -> str:
    """Return the database's name in `url`."""
    return urlsplit(url).path.removeprefix("/")
