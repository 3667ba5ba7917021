"""Upgrades a service's schema to its newest revision, one process at a time, and checks the revision of a schema."""

import importlib.resources
from itertools import count
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.database.database import Database
from shared.runtime.errors import Misconfigured

_DEADLOCK_DETECTED = "40P01"
_ATTEMPTS = 20
"""Each takes at least PostgreSQL's deadlock_timeout, a second by default; one was enough in every measured upgrade under load."""
_STATEMENT_SECONDS = 86_400.0
_ADVISORY_LOCK_ID = 0x6A696573  # "jies": one migration at a time in a database


async def migrate(database: Database, package: str) -> None:
    """Run the revisions in `package` (a folder of `0001_name.py` files) in the database's schema, up to the newest.

    Raises `Misconfigured` where the schema is at a revision that the package does not have. Running services lock rows and tables in
    an order of their own: a migration that PostgreSQL ends to resolve a deadlock has changed nothing and is run again.
    """
    # A session of its own: the services' limit of a statement is the driver's too, and ends what writes a large table anew.
    unhurried = database.settings.model_copy(update={"command_timeout": _STATEMENT_SECONDS})
    migrating = Database(unhurried, database.schema, 1, "migration")
    try:
        await _migrate_repeatedly(migrating, _folder(package))
    finally:
        await migrating.close()


async def _migrate_repeatedly(database: Database, folder: Path) -> None:
    for attempt in count(1):
        try:
            await _migrate_once(database, folder)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _DEADLOCK_DETECTED or attempt == _ATTEMPTS:
                raise
        else:
            return


async def _migrate_once(database: Database, folder: Path) -> None:
    # The engine's AUTOCOMMIT would keep the first statements of a revision that fails.
    async with database.engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
        # Statements of running services queue behind a migration that waits for a lock: it fails after a minute and changes nothing.
        await connection.exec_driver_sql("SELECT set_config('lock_timeout', '60s', true)")
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK_ID})")
        # IF NOT EXISTS would require the right to create even where the schema exists.
        if await connection.scalar(text("SELECT to_regnamespace(:name)"), {"name": f'"{database.schema}"'}) is None:
            await connection.exec_driver_sql(f'CREATE SCHEMA "{database.schema}"')
        current = await _current_revision(connection, database.schema)
        if current is not None and current > _newest_revision(folder):
            raise Misconfigured(_too_new(database.schema, current, _newest_revision(folder)))
        if current != _newest_revision(folder):
            # Loaded here because alembic takes 14 MB for good, which no service needs.
            from shared.runtime.database.alembic_environment.upgrade import upgrade  # noqa: PLC0415

            await connection.run_sync(upgrade, folder, database.schema)


async def check_schema(database: Database, package: str) -> None:
    """Raise `Misconfigured` where the schema is older than `package`'s newest revision.

    A newer one is accepted, so that processes of the previous release keep running during an upgrade.
    """
    newest = _newest_revision(_folder(package))
    async with database.engine.connect() as connection:
        current = await _current_revision(connection, database.schema)
    if current is None or current < newest:
        raise Misconfigured(
            f"DATABASE_URL: schema {database.schema} is at revision {current or 'none'}, this release needs {newest}: "
            f"run `jiesu migrate {database.schema}` first"
        )


def _folder(package: str) -> Path:
    return Path(str(importlib.resources.files(package)))


def _newest_revision(folder: Path) -> str:
    return max(path.name.partition("_")[0] for path in folder.glob("[0-9]*_*.py"))


async def _current_revision(connection: AsyncConnection, schema: str) -> str | None:
    """The schema's revision, None if it has none."""
    if await connection.scalar(text("SELECT to_regclass(:name)"), {"name": f'"{schema}".alembic_version'}) is None:
        return None
    version: str | None = await connection.scalar(text(f'SELECT version_num FROM "{schema}".alembic_version'))  # noqa: S608 - our schema
    return version


def _too_new(schema: str, current: str, newest: str) -> str:
    return (
        f"DATABASE_URL: schema {schema} is at revision {current}, the newest of this release is {newest}: "
        "install the newer release, or use another database"
    )
