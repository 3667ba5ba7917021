"""Settled dead letters are deleted after their retention; open ones stay."""

from datetime import timedelta

from shared.runtime.database.database import Database
from shared.runtime.dead_letters.operations import delete_settled
from shared.runtime.process.settings import RuntimeSettings

LETTERS = """
INSERT INTO dead_letter (topic, partition, kafka_offset, key, headers, timestamp_ms, timestamp_type, reason, status, settled_at, created_at)
SELECT 't', 0, n, 'c' || n, '[]', 0, 1, 'r', CASE WHEN n % 3 = 0 THEN 'open' ELSE 'replayed' END,
    CASE WHEN n % 3 > 0 THEN now() - make_interval(days => n % 3 * 60) END, now() - interval '1 year'
FROM generate_series(1, 4500) AS n
"""


async def test_old_settled_letters_are_deleted_and_no_other(settings: RuntimeSettings) -> None:
    database = Database(settings, "probe")
    async with database.transaction() as tx:
        await tx.execute(LETTERS)
        await tx.execute("INSERT INTO parked (key, dead_letter_id) SELECT key, id FROM dead_letter WHERE status = 'open'")
    assert await delete_settled(database, timedelta(days=90)) == 1500
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT status, count(*) AS n FROM dead_letter GROUP BY status ORDER BY status")
    assert [(row["status"], row["n"]) for row in rows] == [("open", 1500), ("replayed", 1500)]
    assert await delete_settled(database, timedelta(days=90)) == 0
    await database.close()
