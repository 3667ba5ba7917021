"""Imports that are stopped, killed or taken over: each row once, its result known."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.intake.application.parts import IntakeParts
from services.intake.application.registration import RegisterComplaints
from services.intake.application.registration_result import PendingRegistration, RegistrationResult
from services.intake.bootstrap import make_parts
from services.intake.config import IntakeSettings
from services.intake.storage import imports, raw_copies
from services.intake.storage.imports import ImportFile
from services.intake.transports.imports import importing
from services.intake.transports.imports.files.opening import open_table
from services.intake.transports.imports.files.table import Table
from services.intake.transports.imports.importing import Imports
from services.intake.transports.imports.report import write_report
from services.intake.transports.imports.setup import delete_left_over, import_waiting, make_imports
from shared.procedures.checks.organisation.organisation_check import load_checked_organisation
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction
from shared.runtime.encryption import EncryptionKeyRing
from tests.support.messaging.import_samples import COLUMN_MAP, csv_bytes, organisation_with_imports, read_csv
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS, SOURCES, write_organisation
from tests.support.messaging.settings import SettingsFactory
from tests.support.waiting import wait_for

ROWS = [[f"G-{number}", "2026-11-09 9:05", "王", "13800000000", f"{number}号楼停水"] for number in range(25)]


@pytest.fixture
async def parts(make_settings: SettingsFactory, tmp_path: Path) -> AsyncIterator[IntakeParts]:
    settings = make_settings(
        IntakeSettings, sealing_keys=ENCRYPTION_KEYS, organisation=organisation_with_imports(tmp_path), import_batch_rows=10
    )
    organisation = load_checked_organisation(settings.organisation)
    database = Database(settings, "intake")
    yield make_parts(settings, organisation, EncryptionKeyRing.parse(settings.sealing_keys), Clock.parse("", "test"), database)
    await database.close()


@pytest.fixture
async def work(parts: IntakeParts) -> AsyncIterator[Imports]:
    database = Database(parts.settings, "intake")
    yield make_imports(database, parts)
    await database.close()


async def accepted(work: Imports, folder: Path, content: bytes = csv_bytes(ROWS, "gb18030"), source: str = "web") -> ImportFile:
    path = folder / "export.csv"
    path.write_bytes(content)
    return await work.accept(path, path.name, source)


async def state_of(work: Imports, import_id: str) -> ImportFile:
    async with work.database.transaction() as tx:
        item = await imports.find_import(tx, import_id)
    assert item is not None
    return item


async def end_lease(work: Imports) -> None:
    async with work.database.transaction() as tx:
        await tx.execute("UPDATE import_file SET held_until = '-infinity'")


async def numbers(work: Imports) -> list[str]:
    async with work.database.transaction() as tx:
        return [row["number"] for row in await tx.fetch("SELECT number FROM complaint ORDER BY number")]


async def test_killed_import_goes_on_behind_the_last_committed_batch(work: Imports, tmp_path: Path) -> None:
    item = await accepted(work, tmp_path)

    class KilledError(Exception):
        pass

    def die(done: ImportFile) -> None:
        if done.rows_done == 20:
            raise KilledError

    with pytest.raises(KilledError):
        await work.run(item.id, "first", on_batch=die)
    assert (await state_of(work, item.id)).rows_done == 20
    assert await work.run(item.id, "second") is None, "the lease of the first has not ended"
    await end_lease(work)
    done = await work.run(item.id, "second")
    assert done is not None
    assert (done.state, done.rows_done, orjson.loads(done.counts)) == ("done", 25, {"registered": 25})
    assert len(set(await numbers(work))) == 25
    report = tmp_path / "report.csv"
    await write_report(work, done, report)
    assert [row["jiesu_case_number"] for row in read_csv(report.read_bytes(), "gb18030")] == await numbers(work)


async def test_outage_within_a_batch_leaves_none_of_its_rows(work: Imports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    item = await accepted(work, tmp_path)
    register = RegisterComplaints.register_batch
    calls = 0

    async def fail_second(
        self: RegisterComplaints, tx: Transaction, pending: Sequence[PendingRegistration], via: str
    ) -> list[RegistrationResult]:
        nonlocal calls
        calls += 1
        results = await register(self, tx, pending, via)
        if calls == 2:
            raise ConnectionError
        return results

    monkeypatch.setattr(RegisterComplaints, "register_batch", fail_second)
    with pytest.raises(ConnectionError):
        await work.run(item.id, "one")
    assert len(await numbers(work)) == (await state_of(work, item.id)).rows_done == 10
    done = await work.run(item.id, "one")
    assert done is not None
    assert (done.rows_done, len(set(await numbers(work)))) == (25, 25)


async def test_row_that_the_database_refuses_fails_alone(work: Imports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    item = await accepted(work, tmp_path)
    register = RegisterComplaints.register_batch

    async def fail_row(self: RegisterComplaints, tx: Transaction, pending: Sequence[PendingRegistration], via: str) -> Any:
        if any(each.submission.external_id == "G-13" for each in pending):
            raise ValueError("a fault of ours")
        return await register(self, tx, pending, via)

    monkeypatch.setattr(RegisterComplaints, "register_batch", fail_row)
    done = await work.run(item.id, "one")
    assert done is not None
    assert orjson.loads(done.counts) == {"registered": 24, "refused": 1}
    async with work.database.transaction() as tx:
        [row] = [row for row in await imports.find_rows(tx, item.id, 0, 100) if row.status == "refused"]
    assert (row.row, '"rule":"failed"' in row.faults) == (15, True)


async def test_process_whose_lease_another_holds_writes_nothing(work: Imports, tmp_path: Path) -> None:
    item = await accepted(work, tmp_path)
    taken = asyncio.Event()

    def lose(done: ImportFile) -> None:
        if done.rows_done == 10:
            taken.set()

    async def take_over() -> ImportFile | None:
        async with work.database.transaction() as tx:
            # Opens the connection before the first goes on, which else may end before this one is open.
            await tx.execute("SELECT 1")
            await taken.wait()
            await tx.execute("UPDATE import_file SET holder = 'second'")
        return await work.run(item.id, "second")

    second, _ = await asyncio.gather(take_over(), work.run(item.id, "first", on_batch=lose))
    assert second is not None
    assert (second.state, second.rows_done, len(set(await numbers(work)))) == ("done", 25, 25)


async def test_lease_is_renewed_while_a_slow_file_is_opened(work: Imports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    item, others = await accepted(work, tmp_path), list[ImportFile | None]()
    work.lease = timedelta(seconds=1.5)

    async def lease_has_ended(held_until: datetime) -> bool:
        async with work.database.transaction() as tx:
            return bool(await tx.fetchval("SELECT now() > $1", held_until))

    async def open_slowly(*arguments: Any) -> Table:
        monkeypatch.setattr(importing, "open_table", open_table)
        async with work.database.transaction() as tx:
            held_until = await tx.fetchval("SELECT held_until FROM import_file")
        await wait_for(lambda: lease_has_ended(held_until))
        others.append(await work.run(item.id, "second"))
        return await open_table(*arguments)

    monkeypatch.setattr(importing, "open_table", open_slowly)
    done = await work.run(item.id, "first")
    assert others == [None], "the lease of the first goes on"
    assert done is not None
    assert (done.state, done.rows_done, len(await numbers(work))) == ("done", 25, 25)


async def test_small_file_does_not_wait_for_a_large_one_of_another_source(make_settings: SettingsFactory, tmp_path: Path) -> None:
    sources = [source | {"imports": COLUMN_MAP} for source in SOURCES if source["id"] in ("web", "hotline")]
    settings = make_settings(
        IntakeSettings, sealing_keys=ENCRYPTION_KEYS, organisation=write_organisation(tmp_path, sources=sources), import_batch_rows=1
    )
    database, stop = Database(settings, "intake"), asyncio.Event()
    organisation = load_checked_organisation(settings.organisation)
    key_ring = EncryptionKeyRing.parse(settings.sealing_keys)
    work = make_imports(database, make_parts(settings, organisation, key_ring, Clock.parse("", "test"), database))
    large = await accepted(work, tmp_path, csv_bytes([[f"L-{number}", *ROWS[0][1:]] for number in range(80)], "utf-8"), "hotline")
    small = await accepted(work, tmp_path, csv_bytes(ROWS[:1], "utf-8"))
    loop = asyncio.create_task(import_waiting(work, asyncio.Event(), stop))

    async def both_done() -> list[ImportFile] | None:
        items = [await state_of(work, item.id) for item in (large, small)]
        return items if all(item.state == "done" for item in items) else None

    ended = await wait_for(both_done)
    assert ended is not None
    stop.set()
    await loop
    instants = [item.finished_at for item in ended]
    assert sorted(instants, key=str) == [instants[1], instants[0]]
    assert [orjson.loads(item.counts) for item in ended] == [{"registered": 80}, {"registered": 1}]
    await database.close()


async def test_stop_between_batches_leaves_the_rest_for_later(work: Imports, tmp_path: Path) -> None:
    item, stop = await accepted(work, tmp_path), asyncio.Event()
    stopped = await work.run(item.id, "one", stop, on_batch=lambda _: stop.set())
    assert stopped is not None
    assert (stopped.state, stopped.rows_done) == ("running", 10)
    done = await work.run(item.id, "another")
    assert done is not None
    assert done.rows_done == 25


async def test_row_with_an_unclosed_quotation_mark_is_refused_and_the_rows_behind_it_are_read(work: Imports, tmp_path: Path) -> None:
    head = csv_bytes(ROWS[:1], "utf-8").decode()
    lines = ['G-x,2026-11-09,王,13800000000,"a"b', "G-y,2026-11-09,王,1,停电,surplus", "G-z,2026-11-09,王,1,停电"]
    item = await accepted(work, tmp_path, (head + "\r\n".join(lines)).encode())
    done = await work.run(item.id, "one")
    assert done is not None
    assert orjson.loads(done.counts) == {"registered": 2, "refused": 2}
    async with work.database.transaction() as tx:
        rows = await imports.find_rows(tx, item.id, 0, 10)
    assert [row.status for row in rows] == ["registered", "refused", "refused", "registered"]
    assert "not_csv" in rows[1].faults
    assert "too_many_cells" in rows[2].faults


async def test_imports_past_their_retention_are_deleted_with_their_rows(work: Imports, tmp_path: Path) -> None:
    item = await accepted(work, tmp_path)
    await work.run(item.id, "one")
    assert await imports.delete_old(work.database, timedelta(days=90)) == 0
    async with work.database.transaction() as tx:
        await tx.execute("UPDATE import_file SET created_at = now() - interval '91 days'")
    assert await imports.delete_old(work.database, timedelta(days=90)) == 26
    async with work.database.transaction() as tx:
        assert await raw_copies.find_head(tx, item.id) is not None


async def test_copy_whose_key_is_gone_fails_the_import_with_the_reason(work: Imports, tmp_path: Path) -> None:
    item = await accepted(work, tmp_path)
    async with work.database.transaction() as tx:
        await tx.execute("UPDATE raw_copy SET sealed = 'gone' || sealed")
    failed = await work.run(item.id, "one")
    assert failed is not None
    assert (failed.state, orjson.loads(failed.fault)["rule"]) == ("failed", "sealed")


def test_temporary_folders_that_a_kill_left_are_deleted_and_no_other(tmp_path: Path) -> None:
    old, running, other = (tmp_path / name for name in ("jiesu-import-a", "jiesu-import-b", "other"))
    for folder in (old, running, other):
        folder.mkdir()
        (folder / "file").write_text("13800000000")
    long_ago = datetime(2026, 11, 1, tzinfo=UTC)
    for folder in (old, other):
        os.utime(folder, (long_ago.timestamp(), long_ago.timestamp()))
    delete_left_over(tmp_path, long_ago + timedelta(days=1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["jiesu-import-b", "other"]
