"""Revisions build the declared tables, keep the rows that are there, and run before a service starts."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from shared.runtime.database.alembic_environment import upgrade as alembic
from shared.runtime.database.database import Database
from shared.runtime.database.migrate import migrate
from shared.runtime.errors import Misconfigured
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.support.migrations import DECLARED, migration_differences, upgrade_to
from tests.support.repository import PROJECT
from tests.support.servers.databases import PACKAGES

ROWS = json.loads((Path(__file__).parent / "baseline_rows.json").read_text(encoding="utf-8"))
"""By schema and table, one row as it was written at the baseline: column to SQL literal. Never edited, as the baseline itself."""


@pytest.fixture
def settings(empty_database_url: str, bootstrap_servers: str) -> RuntimeSettings:
    return RuntimeSettings(environment="test", database_url=empty_database_url, kafka_bootstrap_servers=bootstrap_servers)


async def fetch(settings: RuntimeSettings, schema: str, query: str) -> list[Any]:
    database = Database(settings, schema)
    async with database.transaction() as tx:
        rows = await tx.fetch(query)
    await database.close()
    return rows


async def contents(settings: RuntimeSettings, schema: str) -> dict[str, list[Any]]:
    """By table, the baseline's columns of its rows."""
    return {table: await fetch(settings, schema, f"SELECT {', '.join(row)} FROM {table}") for table, row in ROWS[schema].items()}


async def newest(settings: RuntimeSettings, schema: str) -> None:
    database = Database(settings, schema)
    await migrate(database, PACKAGES[schema])
    await database.close()


@pytest.mark.parametrize("schema", DECLARED)
async def test_revisions_build_the_declared_tables(settings: RuntimeSettings, schema: str) -> None:
    await newest(settings, schema)
    assert await migration_differences(settings.database_url.get_secret_value(), schema) == []


@pytest.mark.parametrize("schema", PACKAGES)
async def test_a_populated_baseline_keeps_its_rows_through_every_later_revision(settings: RuntimeSettings, schema: str) -> None:
    await upgrade_to(settings, schema, "0001")
    database = Database(settings, schema)
    async with database.transaction() as tx:
        tables = await tx.fetch(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = $1::regnamespace", schema
        )
        assert {row["relname"] for row in tables} == set(ROWS[schema]) | {"alembic_version"}
        for table, row in ROWS[schema].items():
            await tx.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(row.values())})")
    await database.close()
    before = await contents(settings, schema)
    await newest(settings, schema)
    assert await contents(settings, schema) == before
    assert all(len(rows) == 1 for rows in before.values())


async def test_a_later_revision_reaches_the_rows_of_the_baseline(settings: RuntimeSettings) -> None:
    await upgrade_to(settings, "probe", "0001")
    await fetch(settings, "probe", "INSERT INTO notes (case_id, text, recorded) VALUES ('c1', 'text', now())")
    await newest(settings, "probe")
    assert [row["author"] for row in await fetch(settings, "probe", "SELECT author FROM notes")] == ["unknown"]


async def test_a_schema_at_its_newest_revision_does_not_load_alembic(settings: RuntimeSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    await newest(settings, "probe")
    runs: list[str] = []
    monkeypatch.setattr(alembic, "upgrade", lambda *_: runs.append("run"))
    await newest(settings, "probe")
    assert runs == []
    await fetch(settings, "probe", "UPDATE alembic_version SET version_num = '0001'")
    await newest(settings, "probe")
    assert runs == ["run"]


async def test_a_migration_that_a_deadlock_ended_is_run_again(settings: RuntimeSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    deadlocks = iter(["DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$"] * 2)
    upgrade = alembic.upgrade

    def ended_twice(connection: Connection, folder: Path, schema: str) -> None:
        upgrade(connection, folder, schema)
        for statement in deadlocks:
            connection.exec_driver_sql(statement)

    monkeypatch.setattr(alembic, "upgrade", ended_twice)
    await newest(settings, "probe")
    assert len(await fetch(settings, "probe", "SELECT version_num FROM alembic_version")) == 1


async def test_a_migration_may_take_longer_than_a_statement_of_a_service(
    settings: RuntimeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = alembic.upgrade

    def slow(connection: Connection, folder: Path, schema: str) -> None:
        upgrade(connection, folder, schema)
        connection.exec_driver_sql("SELECT pg_sleep(0.5)")

    monkeypatch.setattr(alembic, "upgrade", slow)
    await newest(settings.model_copy(update={"command_timeout": 0.4}), "probe")
    assert len(await fetch(settings, "probe", "SELECT version_num FROM alembic_version")) == 1


async def test_commands_that_start_together_migrate_once(settings: RuntimeSettings) -> None:
    await asyncio.gather(*(newest(settings, "probe") for _ in range(4)))
    assert len(await fetch(settings, "probe", "SELECT version_num FROM alembic_version")) == 1


@pytest.mark.parametrize("revision", [None, "0001"])
async def test_a_service_refuses_to_start_on_an_older_schema(settings: RuntimeSettings, revision: str | None) -> None:
    if revision:
        await upgrade_to(settings, "probe", revision)
    service = Service("probe", settings, migrations=PACKAGES["probe"])
    refusal = f"schema probe is at revision {revision or 'none'}, this release needs 0002: run `jiesu migrate probe` first"
    with pytest.raises(Misconfigured, match=refusal):
        async with service.running():
            pass


async def test_the_console_script_names_the_remedy_in_one_line(settings: RuntimeSettings) -> None:
    environment = os.environ | {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "JIESU_ORGANISATION": str(PROJECT / "deploy/demo/organisation.yaml"),
        "JIESU_SEALING_KEYS": f"1:{base64.b64encode(bytes(32)).decode()}",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.notify", cwd=PROJECT, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    _, output = await process.communicate()
    assert process.returncode == 1
    assert output.decode().endswith("this release needs 0002: run `jiesu migrate notify` first\n")
    assert "Traceback" not in output.decode()


async def test_a_service_starts_on_a_newer_schema_and_migrate_refuses_it(settings: RuntimeSettings) -> None:
    await newest(settings, "probe")
    await fetch(settings, "probe", "UPDATE alembic_version SET version_num = '0003'")
    async with Service("probe", settings, migrations=PACKAGES["probe"]).running() as service:
        assert "database" not in service.health.troubles()
    with pytest.raises(Misconfigured, match="schema probe is at revision 0003, the newest of this release is 0002"):
        await newest(settings, "probe")
