"""The runtime's tables, transactions and connection pool."""

import asyncio
from importlib import import_module
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa

from shared.runtime.database.database import Database
from shared.runtime.database.migrate import migrate
from shared.runtime.process.settings import RuntimeSettings

PACKAGE = "tests.integration.runtime.migrations"


@pytest.fixture
async def database(settings: RuntimeSettings) -> Database:
    opened = Database(settings, "probe")
    await migrate(opened, PACKAGE)
    return opened


async def test_queue_tables_are_vacuumed_after_a_number_of_rows(database: Database) -> None:
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT relname, reloptions FROM pg_class WHERE relkind = 'r' AND relnamespace = 'probe'::regnamespace")
    options = {row["relname"]: row["reloptions"] or [] for row in rows}
    for queue in ("inbox_00", "outbox", "timer", "waiting"):
        assert "autovacuum_vacuum_scale_factor=0" in options[queue]
        assert "autovacuum_vacuum_threshold=2000" in options[queue]
    await database.close()


async def test_statements_of_asyncpg_and_sqlalchemy_share_the_transaction(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO cases VALUES ('x', 0)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM cases") == 0
        await tx.connection.execute(sa.text("INSERT INTO cases VALUES ('y', 0)"))
        assert await tx.fetchval("SELECT count(*) FROM cases") == 1
    await database.close()


async def test_a_cancelled_transaction_is_rolled_back_and_its_connection_closed(database: Database) -> None:
    async def wait_inside() -> None:
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO cases VALUES ('x', 0)")
            inside.set()
            await tx.execute("SELECT pg_sleep(60)")

    for _ in range(3):
        inside = asyncio.Event()
        task = asyncio.create_task(wait_inside())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM cases") == 0
        others = "datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle' AND backend_type = 'client backend'"
        assert await tx.fetchval(f"SELECT count(*) FROM pg_stat_activity WHERE {others}") == 0
    await database.close()


async def test_sessions_have_timeouts_and_the_search_path(database: Database) -> None:
    async with database.transaction() as tx:
        for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            assert await tx.fetchval(f"SHOW {name}") != "0"
        assert await tx.fetchval("SHOW search_path") == "probe"
    await database.close()


async def test_a_connection_lost_in_the_pool_is_replaced(database: Database) -> None:
    async with database.transaction() as tx:
        pid = await tx.fetchval("SELECT pg_backend_pid()")
    async with database.transaction() as one, database.transaction() as other:
        killer = other if await one.fetchval("SELECT pg_backend_pid()") == pid else one
        spare = await killer.fetchval("SELECT pg_backend_pid()")
    killing = await asyncpg.connect(database.settings.database_url.get_secret_value().replace("+asyncpg", ""))
    await killing.execute("SELECT pg_terminate_backend(p) FROM unnest($1::int[]) AS p", [pid, spare])
    await killing.close()
    for _ in range(3):
        async with database.transaction() as tx:
            assert await tx.fetchval("SELECT pg_backend_pid()") not in (pid, spare)
    await database.close()


def test_sqlalchemys_asyncio_extra_installs_greenlet() -> None:
    """SQLAlchemy 2.1 does not install it without the extra."""
    assert import_module("greenlet")
    assert '"sqlalchemy[asyncio]' in (Path(__file__).parents[4] / "pyproject.toml").read_text()
