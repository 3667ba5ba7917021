"""Raw copies are read again by the corrected maps; what is registered stays as it is."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.intake.application.raw_copies import PART_BYTES, RawSubmission
from services.intake.bootstrap import make_parts
from services.intake.config import IntakeSettings
from services.intake.storage import raw_copies
from services.intake.transports.imports.setup import make_imports
from services.intake.transports.replay import ReplayTools, make_tools, replay, replay_copy
from shared.procedures.checks.organisation.organisation_check import load_checked_organisation
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.encryption import EncryptionKeyRing
from tests.support.messaging.import_samples import COLUMN_MAP, ROWS, csv_bytes
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS, SOURCES, write_organisation
from tests.support.messaging.settings import SettingsFactory

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
WEBHOOK: dict[str, Any] = {"only_when": "kind == 'complaint'", "fields": {"text": "message", "received_at": "at", "external_id": "id"}}
MakeTools = Callable[..., ReplayTools]


@pytest.fixture
async def tools(make_settings: SettingsFactory, tmp_path: Path) -> AsyncIterator[MakeTools]:
    database = Database(make_settings(IntakeSettings), "intake")

    def make(*, dry_run: bool = False, webhook: dict[str, Any] = WEBHOOK, **columns: Any) -> ReplayTools:
        source = SOURCES[0] | {"imports": COLUMN_MAP | columns, "webhook": webhook}
        settings = make_settings(IntakeSettings, sealing_keys=ENCRYPTION_KEYS, organisation=write_organisation(tmp_path, sources=[source]))
        organisation = load_checked_organisation(settings.organisation)
        parts = make_parts(settings, organisation, EncryptionKeyRing.parse(settings.sealing_keys), Clock.parse("", "test"), database)
        return make_tools(database, parts, dry_run=dry_run)

    yield make
    await database.close()


async def keep(tools: ReplayTools, *bodies: dict[str, Any] | bytes) -> None:
    for body in bodies:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        async with tools.database.transaction() as tx:
            await tools.parts.raw_copies.keep_raw(tx, RawSubmission("web", "webhook", "", content))


async def outcomes(tools: ReplayTools, **selection: str) -> list[dict[str, int]]:
    return [dict(copy.counts) async for copy in replay(tools, BEGINNING, **selection)]


async def texts(tools: ReplayTools) -> list[str]:
    async with tools.database.transaction() as tx:
        rows = await tx.fetch("SELECT body FROM complaint ORDER BY external_id")
    return [orjson.loads(row["body"])["complaint"]["text"] for row in rows]


async def test_calls_are_read_again_in_order_and_registered_once(tools: MakeTools) -> None:
    complaint = {"kind": "complaint", "message": "停水", "at": "2026-11-09 9:05", "id": "1"}
    await keep(tools(), complaint, {"kind": "news"}, complaint | {"id": "2", "at": "9/11/2026"}, b"{")
    first = [{"valid": 1}, {"ignored": 1}, {"refused": 1}, {"refused": 1}]
    assert await outcomes(tools(dry_run=True)) == first
    assert await texts(tools()) == []
    assert await outcomes(tools()) == [{"registered": 1}, *first[1:]]
    corrected = WEBHOOK | {"date_order": "dmy", "fields": WEBHOOK["fields"] | {"text": "join('', ['新 ', message])"}}
    assert await outcomes(tools(webhook=corrected)) == [{"duplicate": 1}, {"ignored": 1}, {"registered": 1}, {"refused": 1}]
    assert await texts(tools()) == ["停水", "新 停水"]
    assert await outcomes(tools(), channel="file") == await outcomes(tools(), source="hotline") == []


async def test_file_is_read_again_by_the_corrected_map(tools: MakeTools, tmp_path: Path) -> None:
    first = tools()
    path = tmp_path / "export.csv"
    path.write_bytes(csv_bytes(ROWS, "gb18030"))
    item = await first.work.accept(path, path.name, "web")
    done = await first.work.run(item.id, "one")
    assert done is not None
    assert orjson.loads(done.counts) == {"registered": 5, "duplicate": 1, "refused": 1}
    assert await outcomes(tools(dry_run=True, date_order="dmy"), channel="file") == [{"duplicate": 6, "valid": 1}]
    assert await outcomes(tools(date_order="dmy")) == [{"duplicate": 6, "registered": 1}]
    assert len(await texts(first)) == 6
    async with first.database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM outbox WHERE topic LIKE '%actions'") == 0, "a known row is no supplement"


async def test_import_that_failed_as_a_whole_is_replayed(tools: MakeTools, tmp_path: Path) -> None:
    first = tools(columns=COLUMN_MAP["columns"] | {"受理时间": "happened_at", "登记时间": "received_at"})
    path = tmp_path / "export.csv"
    path.write_bytes(csv_bytes(ROWS[:2], "utf-8"))
    item = await first.work.accept(path, path.name, "web")
    failed = await first.work.run(item.id, "one")
    assert failed is not None
    assert "missing_columns" in failed.fault
    [copy] = [copy async for copy in replay(first, BEGINNING)]
    assert (dict(copy.counts), [fault.rule for fault in copy.faults]) == ({"refused": 1}, ["missing_columns"])
    assert await outcomes(tools()) == [{"registered": 2}]


async def test_copy_of_an_unknown_transport_or_source_is_named_and_left(tools: MakeTools) -> None:
    made = tools()
    async with made.database.transaction() as tx:
        for source, channel in (("web", "pigeon"), ("gone", "webhook")):
            await made.parts.raw_copies.keep_raw(tx, RawSubmission(source, channel, "", b"{}"))
        heads = await raw_copies.find_heads(tx, BEGINNING, "", "", "", 10)
    assert [dict((await replay_copy(made, head)).counts) for head in heads] == [{"not_replayable": 1}] * 2
    assert make_imports(made.database, made.parts).file_maps.keys() == {"web"}


async def test_copy_without_one_of_its_parts_is_named_and_those_behind_it_are_read(tools: MakeTools, tmp_path: Path) -> None:
    made = tools()
    path = tmp_path / "export.csv"
    path.write_bytes(csv_bytes(ROWS[:1], "utf-8") + b"\r\n" * PART_BYTES)
    item = await made.work.accept(path, path.name, "web")
    await keep(made, b"x" * (PART_BYTES + 1), {"kind": "complaint", "message": "停水", "at": "2026-11-09 9:05", "id": "1"})
    async with made.database.transaction() as tx:
        await tx.execute("DELETE FROM raw_copy WHERE part > 0")
    failed = await made.work.run(item.id, "one")
    assert failed is not None
    assert (failed.state, orjson.loads(failed.fault)["rule"], failed.counts) == ("failed", "incomplete", "{}")
    assert await outcomes(made, channel="webhook") == [{"incomplete": 1}, {"registered": 1}]
