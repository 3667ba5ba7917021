"""Whether a service's revisions build what its tables declare."""

from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from shared.runtime.database.database import Database
from shared.runtime.database.migrate import migrate
from shared.runtime.process.settings import RuntimeSettings


async def migration_differences(settings: RuntimeSettings, schema: str, package: str, declared: sa.MetaData) -> list[Any]:
    """Migrate the schema in an empty database and give what differs from the declaration."""
    database = Database(settings, schema)
    await migrate(database, package)
    await database.close()

    def compare(connection: sa.Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"include_schemas": True, "compare_type": True})
        return [found for found in compare_metadata(context, declared) if "alembic_version" not in str(found)]

    # With the service's search path its schema would count as the default one, whose tables are reflected without its name.
    engine = create_async_engine(settings.database_url.get_secret_value())
    async with engine.connect() as connection:
        found = await connection.run_sync(compare)
    await engine.dispose()
    return found
