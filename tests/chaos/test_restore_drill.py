"""The drill: base backup, WAL, restore to an instant, and what the topics give back."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.embedded import EmbeddedServers
from deploy.embedded.postgres.server import PostgresServer
from services.intake.config import IntakeSettings
from shared.runtime.database.database import Database
from shared.runtime.database.migrate import migrate
from shared.runtime.process.settings import RuntimeSettings
from tests.integration.cli.keeping.running_services import RunningServices, command_environment, jiesu, open_services, services_settings
from tests.support.messaging.settings import SettingsFactory
from tests.support.servers.databases import PACKAGES, asyncpg_dsn
from tests.support.waiting import wait_for

PREFIX = "drill."


@dataclass(slots=True)
class Drill:
    """The folders and servers of a drill, and what was done before and after the instant that is restored to."""

    folder: Path
    servers: EmbeddedServers
    settings: IntakeSettings
    restore_point: str = ""
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    numbers: dict[str, str] = field(default_factory=dict)

    def factory(self, database_url: str) -> SettingsFactory:
        """Settings of services on a database."""
        return SettingsFactory(self.servers.bootstrap_servers, database_url, PREFIX)

    async def work(self) -> None:
        """Complaints and actions before the base backup, between it and the instant, and after the instant."""
        async with open_services(self.factory(self.servers.database_url), self.settings) as services:
            self.before = await _submit(services, "before-1", "before-2")
            await services.settle()
            taken = await jiesu("backup", "base", "--to", self.folder / "base")
            assert taken.exit_code == 0, taken.output
            await services.end(self.before[0], answer="答复在还原点之前")
            await services.settle()
            self.restore_point = await _database_now(self.servers.database_url)
            self.after = await _submit(services, "after-1", "after-2", "after-3")
            await services.act(self.before[1], "answer", text="答复在还原点之后")
            await services.settle()
            # Exit status 1: the topics keep the records for their time.
            assert (await jiesu("erase", "--case", self.before[0], "--by", "li")).exit_code == 1
            await services.settle()
            self.numbers = await _numbers(services)
        await _close_wal(self.servers.database_url)
        assert self.servers.postgres is not None
        self.servers.postgres.stop()

    async def restore(self) -> PostgresServer:
        """Restore to the instant in another folder, and start a server on it."""
        data = self.folder / "restored" / "data"
        folders = ("--base", self.folder / "base", "--wal", self.folder / "wal", "--to", data)
        prepared = await jiesu("backup", "restore", *folders, "--until", self.restore_point)
        assert prepared.exit_code == 0, prepared.output
        restored = PostgresServer(data.parent)
        restored.start()
        await _await_promotion(restored.database_url)
        return restored


@pytest.fixture
async def drill(own_servers: Callable[..., EmbeddedServers], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drill:
    archive = tmp_path / "wal"
    archive.mkdir()
    wal = {"archive_mode": "on", "archive_command": f'test ! -f "{archive}/%f" && cp "%p" "{archive}/%f"'}
    servers = own_servers(postgres_settings=wal)
    await _migrate(servers.database_url)
    settings = services_settings(SettingsFactory(servers.bootstrap_servers, servers.database_url, PREFIX), tmp_path)
    for variable, value in command_environment(settings).items():
        monkeypatch.setenv(variable, value)
    return Drill(tmp_path, servers, settings)


@pytest.mark.timeout(280)
async def test_restored_database_finds_again_what_the_topics_have(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    await drill.work()
    restored = await drill.restore()
    try:
        monkeypatch.setenv("DATABASE_URL", restored.database_url)
        lost = await _compare()
        assert lost["complaints"] == [drill.numbers[case] for case in drill.after]
        assert lost["erased_cases"] == drill.before[:1]
        since = datetime.fromisoformat(drill.restore_point) - timedelta(minutes=5)
        repaired = await _compare("--repair", "--since", since.isoformat())
        assert (repaired["adopted_complaints"], repaired["adopted_deliveries"]) == (3, lost["messages"])
        factory = drill.factory(restored.database_url)
        settings = drill.settings.model_copy(update={"database_url": factory(RuntimeSettings).database_url})
        async with open_services(factory, settings) as services:
            await _require_found_again(drill, services)
            assert "sla.ledger" in await services.stores_of(["答复在还原点之前"])
            assert (await jiesu("erase", "--case", drill.before[0], "--by", "li")).exit_code == 1
            assert await services.stores_of(["答复在还原点之前"]) == set()
            await services.settle()
            remaining = await _compare()
            # Each of the lost three told its complainant by two channels: no delivery was made a second time.
            rows = await services.rows("notify", "SELECT count(*) FROM delivery WHERE case_id = ANY($1::text[])", drill.after)
            assert rows[0][0] == 2 * len(drill.after) == lost["messages"]
        # What the how-to guide quotes.
        quoted = {"lost": lost, "repaired": repaired, "remaining": remaining}
        (drill.folder / "drill.json").write_text(json.dumps(quoted, ensure_ascii=False, indent=1), encoding="utf-8")
        assert (remaining["complaints"], remaining["messages"]) == ([], 0)
        assert [(act["case"], act["event"]) for act in remaining["actions"]] == [(drill.before[1], "first_answered")]
        checked = await jiesu("ledger", "verify")
        assert checked.exit_code == 0, checked.output
    finally:
        restored.stop()


async def _require_found_again(drill: Drill, services: RunningServices) -> None:
    for case in drill.after:
        await services.wait_for_events(case, "found again", 2)
    await services.settle()
    # The same submission comes again from a source that saw no answer: it is taken for the one that was adopted.
    assert await _submit(services, "after-1") == drill.after[:1]
    [new] = await _submit(services, "new-1")
    last = drill.numbers[drill.after[-1]]
    assert await _numbers(services) == {**drill.numbers, new: f"{last[:-5]}{int(last[-5:]) + 1:05}"}


async def _submit(services: RunningServices, *references: str) -> list[str]:
    return [await services.submit(external_id=name, text=f"投诉 {name}", complainant={"phone": "13911112222"}) for name in references]


async def _numbers(services: RunningServices) -> dict[str, str]:
    return {row["case_id"]: row["number"] for row in await services.rows("intake", "SELECT case_id, number FROM complaint")}


async def _compare(*options: str) -> dict[str, Any]:
    compared = await jiesu("backup", "compare", "--json", *options)
    assert compared.exit_code in (0, 1), compared.output
    document: dict[str, Any] = json.loads(compared.stdout)
    return document


async def _migrate(url: str) -> None:
    settings = RuntimeSettings(environment="test", database_url=url)
    for schema in ("intake", "triage", "sla", "notify"):
        database = Database(settings, schema)
        await migrate(database, PACKAGES[schema])
        await database.close()


async def _database_now(url: str) -> str:
    connection = await asyncpg.connect(asyncpg_dsn(url))
    now: datetime = await connection.fetchval("SELECT now()")
    await connection.close()
    return now.astimezone(UTC).isoformat()


async def _close_wal(url: str) -> None:
    """Let the last segment be archived, and wait for it."""
    connection = await asyncpg.connect(asyncpg_dsn(url))
    segment = await connection.fetchval("SELECT pg_walfile_name(pg_switch_wal())")

    async def archived() -> bool:
        return str(await connection.fetchval("SELECT last_archived_wal FROM pg_stat_archiver")) >= str(segment)

    await wait_for(archived, what="the last WAL segment is archived")
    await connection.close()


async def _await_promotion(url: str) -> None:
    connection = await asyncpg.connect(asyncpg_dsn(url))

    async def promoted() -> bool:
        return not await connection.fetchval("SELECT pg_is_in_recovery()")

    await wait_for(promoted, what="recovery is over")
    await connection.close()
