"""sla's migrations build the tables of its models, on a new database and on one of the first revision."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from services.sla.storage.tables import metadata
from shared.runtime.database.database import Database
from shared.runtime.database.migrate import migrate
from tests.integration.sla.harness import SlaHarness

FIRST = """
DROP TABLE sla.basis, sla.seal, sla.seal_leaf;
ALTER TABLE sla.ledger DROP COLUMN origin, DROP COLUMN basis;
UPDATE sla.alembic_version SET version_num = '0001'
"""


async def differences(database: Database) -> list[Any]:
    def compared(connection: Connection) -> list[Any]:
        options = {"include_schemas": True, "include_name": lambda name, kind, _: kind != "schema" or name == "sla"}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata()))

    async with database.engine.connect() as connection:
        found = await connection.run_sync(compared)
    return [each for each in found if "alembic_version" not in str(each)]


async def test_new_and_old_databases_end_with_the_tables_of_the_models(harness: SlaHarness) -> None:
    database = Database(harness.settings, "sla")
    await migrate(database, "services.sla.migrations")
    assert await differences(database) == []
    async with database.transaction() as tx:
        await tx.execute(FIRST)
    assert await differences(database)
    await migrate(database, "services.sla.migrations")
    assert await differences(database) == []
    await database.close()
