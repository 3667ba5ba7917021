"""One candidate at a time holds a lease."""

from datetime import timedelta

from shared.runtime.database.database import Database
from shared.runtime.database.election import Election
from shared.runtime.process.settings import RuntimeSettings

LEASE = timedelta(seconds=30)


async def elected(database: Database, candidate: Election) -> bool:
    async with database.transaction() as tx:
        return await candidate.is_elected(tx)


async def test_one_candidate_is_elected_until_it_resigns_or_its_lease_expires(settings: RuntimeSettings) -> None:
    database = Database(settings, "probe")
    first, second = Election("figures", LEASE), Election("figures", LEASE)
    assert await elected(database, first)
    assert await elected(database, first)
    assert not await elected(database, second)
    assert await elected(database, Election("another lease", LEASE))
    async with database.transaction() as tx:
        await second.resign(tx)  # it holds nothing
        assert not await second.is_elected(tx)
        await first.resign(tx)
    assert await elected(database, second)
    assert not await elected(database, first)
    async with database.transaction() as tx:
        await tx.execute("UPDATE lease SET expires_at = now() - interval '1 second'")
    assert await elected(database, first)
    await database.close()
