"""Compares a migrated database with the tables that a service declares."""

import re
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
