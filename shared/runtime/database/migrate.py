"""Bring a service's schema to its newest revision, one process at a time."""

import importlib.resources
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.database.database import Database

_ADVISORY_LOCK_ID = 0x6A696573  # "jies": one migration at a time in a database


async def migrate(database: Database, package: str) -> None:
    """Run the revisions in `package` (a folder of `0001_name.py` files) in the database's schema, up to the newest."""
    folder = Path(str(importlib.resources.files(package)))
    async with database.engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
        await connection.exec_driver_sql("SELECT set_config('lock_timeout', '60s', true), set_config('statement_timeout', '0', true)")
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK_ID})")
        # IF NOT EXISTS would ask for the right to create even where the schema exists.
        if await connection.scalar(text("SELECT to_regnamespace(:name)"), {"name": f'"{database.schema}"'}) is None:
            await connection.exec_driver_sql(f'CREATE SCHEMA "{database.schema}"')
        if await _revision(connection, database.schema) != _newest(folder):
            from shared.runtime.database.alembic_environment.upgrade import upgrade  # noqa: PLC0415 - alembic takes 14 MB, for good, of every service

            await connection.run_sync(upgrade, folder, database.schema)


def _newest(folder: Path) -> str:
    return max(path.name.partition("_")[0] for path in folder.glob("[0-9]*_*.py"))


async def _revision(connection: AsyncConnection, schema: str) -> str | None:
    """The revision that the schema is at, None if it is empty."""
    if await connection.scalar(text("SELECT to_regclass(:name)"), {"name": f'"{schema}".alembic_version'}) is None:
        return None
    found: str | None = await connection.scalar(text(f'SELECT version_num FROM "{schema}".alembic_version'))  # noqa: S608 - our schema
    return found
