"""Migrates a schema to any revision, and compares it with the tables that a service declares."""

import importlib.resources
import re
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from services.desk.storage import tables as desk
from services.intake.storage import tables as intake
from services.notify.storage import tables as notify
from services.sla.storage import tables as sla
from services.triage.storage import tables as triage
from shared.runtime.database.alembic_environment import upgrade as alembic
from shared.runtime.database.database import Database
from shared.runtime.process.settings import RuntimeSettings
from tests.support.servers.databases import PACKAGES

DECLARED = {"intake": intake.metadata, "triage": triage.metadata, "sla": sla.metadata, "notify": notify.metadata, "desk": desk.metadata}


def is_partition(table: str) -> bool:
    """Whether the table is a partition of the inbox, which is declared as one table."""
    return re.fullmatch(r"inbox_\d\d", table) is not None


async def migration_differences(database_url: str, schema: str) -> list[Any]:
    """The changes with which alembic would turn the schema into the declared tables; empty if they agree."""

    def compare(connection: sa.Connection) -> list[Any]:
        options = {
            "include_schemas": True,
            "compare_type": True,
            "include_name": lambda name, kind, _: name == schema if kind == "schema" else not (kind == "table" and is_partition(name)),
        }
        context = MigrationContext.configure(connection, opts=options)
        return [change for change in compare_metadata(context, DECLARED[schema]()) if "alembic_version" not in str(change)]

    # With the service's search path its schema would count as the default one, whose tables are reflected without its name.
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        changes = await connection.run_sync(compare)
    await engine.dispose()
    return changes


async def upgrade_to(settings: RuntimeSettings, schema: str, revision: str) -> None:
    """Create the schema and run its revisions up to `revision`."""
    database = Database(settings, schema)
    folder = Path(str(importlib.resources.files(PACKAGES[schema])))
    async with database.engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
        await connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        await connection.run_sync(alembic.upgrade, folder, schema, revision)
    await database.close()
