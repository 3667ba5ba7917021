"""Raw copies: whole again after any size, sealed in the table, deleted after their retention."""

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.application.raw_copies import PART_BYTES, IncompleteCopyError, RawCopies, RawSubmission
from services.intake.storage import raw_copies as table
from services.intake.storage.raw_copies import RawHead
from shared.runtime.database.database import Database
from shared.runtime.encryption import DecryptionError, EncryptionKeyRing
from shared.runtime.process.settings import RuntimeSettings
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS
from tests.support.messaging.settings import SettingsFactory

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


async def heads(database: Database, source: str = "", channel: str = "") -> list[RawHead]:
    async with database.transaction() as tx:
        return await table.find_heads(tx, BEGINNING, source, channel, "", 100)


async def test_raw_copies_come_back_whole_in_order_and_are_sealed(make_settings: SettingsFactory) -> None:
    database = Database(make_settings(RuntimeSettings), "intake")
    copies = RawCopies(EncryptionKeyRing.parse(ENCRYPTION_KEYS))
    contents = [b"", "电话13800001234".encode("gb18030"), bytes(range(256)) * 10_000]
    for number, content in enumerate(contents):
        async with database.transaction() as tx:
            await copies.keep_raw(tx, RawSubmission("web", "webhook", f"r{number}", content, {"content-type": "text/plain"}))
    found = await heads(database)
    assert [head.reference for head in found] == ["r0", "r1", "r2"]
    assert [(await copies.open_raw(database, head)).content for head in found] == contents
    assert (await copies.open_raw(database, found[1])).headers == {"content-type": "text/plain"}
    parts = [part async for part in copies.open_parts(database, found[2])]
    assert [len(part) for part in parts] == [PART_BYTES, PART_BYTES, len(contents[2]) - 2 * PART_BYTES]
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT sealed FROM raw_copy WHERE id = $1", found[1].id)
    assert "13800001234" not in rows[0]["sealed"]
    assert await heads(database, "other") == await heads(database, channel="file") == []
    await database.close()


async def test_a_raw_copy_moved_to_another_id_does_not_open(make_settings: SettingsFactory) -> None:
    database = Database(make_settings(RuntimeSettings), "intake")
    copies = RawCopies(EncryptionKeyRing.parse(ENCRYPTION_KEYS))
    async with database.transaction() as tx:
        await copies.keep_raw(tx, RawSubmission("web", "webhook", "r", b"text"))
        await tx.execute("UPDATE raw_copy SET id = 'another'")
    [head] = await heads(database)
    with pytest.raises(DecryptionError):
        await copies.open_raw(database, head)
    await database.close()


@pytest.mark.parametrize("missing", [1, 2])
async def test_copy_without_one_of_its_parts_does_not_open(make_settings: SettingsFactory, missing: int) -> None:
    database = Database(make_settings(RuntimeSettings), "intake")
    copies = RawCopies(EncryptionKeyRing.parse(ENCRYPTION_KEYS))
    async with database.transaction() as tx:
        await copies.keep_raw(tx, RawSubmission("web", "mail", "r", b"x" * (2 * PART_BYTES + 1)))
    [head] = await heads(database)
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM raw_copy WHERE part = $1", missing)
    with pytest.raises(IncompleteCopyError):
        await copies.open_raw(database, head)
    await database.close()


async def test_raw_copies_past_their_retention_are_deleted_and_no_other(make_settings: SettingsFactory) -> None:
    database = Database(make_settings(RuntimeSettings), "intake")
    async with database.transaction() as tx:
        await tx.execute(
            "INSERT INTO raw_copy (id, part, source, channel, reference, sealed, kept_at) "
            "SELECT n::text, 0, 's', 'file', 'r', 'x', now() - make_interval(days => n % 2 * 100) FROM generate_series(1, 420) AS n"
        )
    assert await table.delete_old(database, timedelta(days=90)) == 210
    assert await table.delete_old(database, timedelta(days=90)) == 0
    assert len(await heads(database)) == 100
    await database.close()
