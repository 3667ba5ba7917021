"""The machinery's tables and the pool."""

import asyncio
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa

from shared.runtime.database.database import Database
from shared.runtime.database.migrate import migrate
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.processing import inbox

PACKAGE = "tests.integration.runtime.migrations"


@pytest.fixture
async def database(settings: RuntimeSettings) -> Database:
    made = Database(settings, "probe")
    await migrate(made, PACKAGE)
    return made


async def test_queue_tables_are_vacuumed_by_rows_not_by_share(database: Database) -> None:
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT relname, reloptions FROM pg_class WHERE relkind = 'r' AND relnamespace = 'probe'::regnamespace")
    options = {row["relname"]: row["reloptions"] or [] for row in rows}
    for queue in ("inbox", "outbox", "timer", "waiting"):
        assert "autovacuum_vacuum_scale_factor=0" in options[queue]
        assert "autovacuum_vacuum_threshold=2000" in options[queue]
    await database.close()


async def test_a_transaction_without_statements_through_sqlalchemy_is_still_one(database: Database) -> None:
    """Raw statements and SQLAlchemy's are in the same one."""

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


async def test_a_transaction_that_is_cancelled_leaves_nothing_behind_and_nothing_open(database: Database) -> None:
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


async def test_sessions_have_limits(database: Database) -> None:
    async with database.transaction() as tx:
        for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            assert await tx.fetchval(f"SHOW {name}") != "0"
        assert await tx.fetchval("SHOW search_path") == "probe"
    await database.close()


async def test_a_connection_that_died_in_the_pool_is_noticed_before_it_is_used(database: Database) -> None:
    async with database.transaction() as tx:
        pid = await tx.fetchval("SELECT pg_backend_pid()")
    async with database.transaction() as one, database.transaction() as other:
        killer = other if await one.fetchval("SELECT pg_backend_pid()") == pid else one
        spare = await killer.fetchval("SELECT pg_backend_pid()")
    killing = await asyncpg.connect(database.settings.database_url.get_secret_value().replace("+asyncpg", ""))
    await killing.execute("SELECT pg_terminate_backend(p) FROM unnest($1::int[]) AS p", [pid, spare])
    await killing.close()
    for _ in range(3):
        await database.ping()
    await database.close()


async def test_old_ids_are_forgotten_and_young_ones_kept(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute(
            "INSERT INTO inbox SELECT gen_random_uuid(), 't', now() - make_interval(days => n % 2 * 40) FROM generate_series(1, 12000) AS n"
        )
    assert await inbox.prune(database, timedelta(days=31)) == 6000
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM inbox") == 6000
    await database.close()


def test_sqlalchemys_asyncio_extra_brings_greenlet() -> None:
    """SQLAlchemy 2.1 no longer installs it by itself."""
    assert import_module("greenlet")
    assert '"sqlalchemy[asyncio]' in (Path(__file__).parents[3] / "pyproject.toml").read_text()
