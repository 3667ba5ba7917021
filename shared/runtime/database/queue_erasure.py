"""Takes the bodies of some records out of a service's dead letters, and finds what a service has yet to do with them."""

from collections.abc import Sequence

from shared.runtime.database.database import Transaction

_ERASE = "UPDATE dead_letter SET body = NULL WHERE key = ANY($1::text[]) AND body IS NOT NULL AND settled_at IS NOT NULL"
_COUNT = "SELECT count(*) FROM dead_letter WHERE key = ANY($1::text[]) AND body IS NOT NULL"
_UNFINISHED = """
SELECT 'messages that are not sent yet' WHERE EXISTS (SELECT FROM outbox WHERE keys && $1::text[])
UNION ALL SELECT 'records that wait behind a dead letter' WHERE EXISTS (SELECT FROM waiting WHERE key = ANY($1::text[]))
UNION ALL SELECT 'open dead letters' WHERE EXISTS (
    SELECT FROM dead_letter WHERE key = ANY($1::text[]) AND settled_at IS NULL)
"""


async def find_unfinished_work(tx: Transaction, keys: Sequence[str]) -> list[str]:
    """The pending work of the service on records of these keys, in words; after an erasure now it would be lost or restore the data."""
    return [row[0] for row in await tx.fetch(_UNFINISHED, list(keys))]


async def count_dead_letters(tx: Transaction, keys: Sequence[str]) -> int:
    """The number of dead letters that have a body of these keys."""
    return int(await tx.fetchval(_COUNT, list(keys)))


async def erase_dead_letters(tx: Transaction, keys: Sequence[str]) -> int:
    """Take the bodies out of settled dead letters; returns how many."""
    return int((await tx.execute(_ERASE, list(keys))).split()[-1])
