"""One look reads what all loops of a process wait for, and statements without a transaction commit by themselves."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.looks import DatabaseLooks
from shared.runtime.process.settings import RuntimeSettings


@pytest.fixture
async def database(settings: RuntimeSettings) -> AsyncIterator[Database]:
    opened = Database(settings, "sla")
    yield opened
    await opened.close()


async def test_one_statement_serves_every_loop(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, holds, fails, values = DatabaseLooks(database), asyncio.Event(), asyncio.Event(), list[Any]()
    looks.wake(holds, "EXISTS (SELECT 1)")
    looks.add(values.extend, "SELECT 7", "'a'")
    looks.wake(fails, "1 > 2")
    statements: list[str] = []
    fetchrow = Transaction.fetchrow

    async def counted(tx: Transaction, sql: str, *args: Any) -> Any:
        statements.append(sql)
        return await fetchrow(tx, sql, *args)

    monkeypatch.setattr(Transaction, "fetchrow", counted)
    await looks.look()
    assert (holds.is_set(), fails.is_set(), values, len(statements)) == (True, False, [7, "a"], 1)


async def test_statement_without_a_transaction_stays_after_an_error_behind_it(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM lease WHERE name = 'probe'")

    async def fail() -> None:
        async with database.autocommit() as tx:
            await tx.execute("INSERT INTO lease VALUES ('probe', gen_random_uuid(), now())")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.autocommit() as tx:
        assert await tx.fetchval("SELECT count(*) FROM lease WHERE name = 'probe'") == 1
        await tx.execute("DELETE FROM lease WHERE name = 'probe'")


async def test_connection_that_the_server_closed_is_replaced_before_a_statement(database: Database) -> None:
    async with database.autocommit() as tx:
        lost = tx.driver_connection
    lost.terminate()
    async with database.autocommit() as tx:
        assert tx.driver_connection is not lost
        assert await tx.fetchval("SELECT 1") == 1
