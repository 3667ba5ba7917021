"""Moves the tables of the services to fresh topics, which may have another number of partitions."""

from collections.abc import Sequence

from shared.runtime.database.database import Database, Transaction
from shared.runtime.errors import Misconfigured
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.process.settings import RuntimeSettings

_PAGE = 5000
_PENDING = """
SELECT (SELECT count(*) FROM outbox) AS outbox, (SELECT count(*) FROM waiting) AS waiting,
    (SELECT count(*) FROM dead_letter WHERE settled_at IS NULL) AS open
"""
# Fresh topics begin at offset 0, and rows name topics without their prefix: a new dead letter would be taken for an old one.
_DETACH = "UPDATE dead_letter SET kafka_offset = -id WHERE kafka_offset >= 0 AND partition >= 0"
_PAGE_OF_CASES = "SELECT case_id FROM timer WHERE case_id > $1 ORDER BY case_id LIMIT $2"
_MOVE = """
UPDATE timer SET partition = moved.partition FROM unnest($1::text[], $2::int[]) AS moved (case_id, partition)
WHERE timer.case_id = moved.case_id AND timer.partition <> moved.partition
"""


async def move_tables(settings: RuntimeSettings, services: Sequence[str]) -> dict[str, int]:
    """Give each timer the partition of its case among `settings.topic_partitions`; returns the number of timers by service.

    Every service has to be stopped, and all its topics read to their ends. Raises `Misconfigured`, before it changes anything, where a
    service has messages to send, records that wait, or open dead letters. May be repeated.
    """
    databases = {service: Database(settings, service, 2) for service in services}
    try:
        for service, database in databases.items():
            await _require_finished(service, database)
        return {service: await _move(database, settings.topic_partitions) for service, database in databases.items()}
    finally:
        for database in databases.values():
            await database.close()


async def _require_finished(service: str, database: Database) -> None:
    async with database.transaction() as tx:
        [(outbox, waiting, dead_letters)] = await tx.fetch(_PENDING)
    if outbox or waiting or dead_letters:
        raise Misconfigured(
            f"{service}: {outbox} messages are not sent, {waiting} records wait, {dead_letters} dead letters are open: "
            "start the services on the old topics until `jiesu status` shows none, replay or discard dead letters, then stop and repeat"
        )


async def _move(database: Database, partitions: int) -> int:
    moved, last = 0, ""
    async with database.transaction() as tx:
        await tx.execute(_DETACH)
        while cases := await _next_cases(tx, last):
            await tx.execute(_MOVE, cases, [partition_of(case, partitions) for case in cases])
            moved, last = moved + len(cases), cases[-1]
    return moved


async def _next_cases(tx: Transaction, last: str) -> list[str]:
    return [row["case_id"] for row in await tx.fetch(_PAGE_OF_CASES, last, _PAGE)]
