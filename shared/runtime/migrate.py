"""Bring a service's schema to its newest revision, one process at a time."""

import importlib.resources
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from shared.runtime.database import Database

_LOCK = 0x6A696573  # "jies": one migration at a time in a database


async def migrate(database: Database, package: str) -> None:
    """Run the revisions in `package` (a folder of `0001_name.py` files) in the database's schema, up to the newest."""
    folder = Path(str(importlib.resources.files(package)))
    async with database.engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
        await connection.exec_driver_sql("SELECT set_config('lock_timeout', '60s', true), set_config('statement_timeout', '0', true)")
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        # IF NOT EXISTS would ask for the right to create even where the schema exists.
        if await connection.scalar(text("SELECT to_regnamespace(:name)"), {"name": f'"{database.schema}"'}) is None:
            await connection.exec_driver_sql(f'CREATE SCHEMA "{database.schema}"')
        await connection.run_sync(_upgrade, folder, database.schema)


def _upgrade(connection: Connection, folder: Path, schema: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migration").replace("%", "%%"))
    config.set_main_option("version_locations", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    config.attributes["schema"] = schema
    command.upgrade(config, "head")
