"""What the gauges of open cases cost with a filled table: python -m tests.bench.sla.figures [open cases].

Prints the plans and times of both counts, after VACUUM and after a twentieth of the cases changed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from pydantic import SecretStr

from deploy.embedded import EmbeddedServers
from services.sla.storage.figures import case_counts
from shared.runtime.clock import Clock, monotonic
from shared.runtime.database.database import Database, Transaction
from shared.runtime.process.settings import RuntimeSettings
from tests.support.servers.databases import Databases

AGES = [timedelta(days=days) for days in (1, 3, 7, 30)]
WITHIN = [timedelta(hours=1), timedelta(days=1), timedelta(days=3)]
# Five procedures, 40 classes, 60 departments; ages up to 60 days, deadlines up to 20 days ahead; a state of half a kilobyte.
_FILL = """
INSERT INTO cases (id, number, source, procedure, version, status, class, department, received_at, calendar, sequence, head, state,
    changed_at, due_at, breached, escalated, other_departments, handler, personal_key)
SELECT 'case-' || n, n::text, 's', 'procedure-' || n % 5, 1, 'open', 'class-' || n % 40, 'department-' || n % 60,
    now() - random() * interval '60 days', 'x', 1, '', convert_to(repeat(md5(n::text), 16), 'UTF8'), now(),
    now() - interval '1 day' + random() * interval '21 days', n % 20 = 0, n % 50 = 0, '{}', '', '\\x01'
FROM generate_series(1, $1::int) AS n
"""
_CHANGE = "UPDATE cases SET sequence = sequence + 1, changed_at = now() WHERE substr(id, 6)::int % 20 = 7"


async def main(number: int) -> None:
    """Fill a database of its own and measure."""
    with TemporaryDirectory() as folder, EmbeddedServers(Path(folder), kafka=False) as servers:
        databases = Databases(servers.database_url)
        url = await databases.create_migrated()
        settings = RuntimeSettings(environment="test", database_url=SecretStr(url), command_timeout=280)
        async with opened(settings) as database:
            async with database.transaction() as tx:
                await tx.execute(_FILL, number)
            await vacuum(database)
            await report(database, f"{number:,} open cases, vacuumed")
            async with database.transaction() as tx:
                await tx.execute(_CHANGE)
            await report(database, "a twentieth changed, not vacuumed")
        await databases.drop(url)


@asynccontextmanager
async def opened(settings: RuntimeSettings) -> AsyncIterator[Database]:
    """sla's database."""
    database = Database(settings, "sla")
    yield database
    await database.close()


async def vacuum(database: Database) -> None:
    """VACUUM as autovacuum does; it cannot run in a transaction."""
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql("VACUUM (ANALYZE) cases")


async def report(database: Database, title: str) -> None:
    """Print the time of each count, the best of three, and its plan."""
    click.echo(f"== {title}")
    now = Clock().now()
    for name, count in (
        ("open", lambda tx: case_counts.count_open_cases(tx, now, AGES)),
        ("due", lambda tx: case_counts.count_due_cases(tx, now, WITHIN)),
    ):
        times = []
        for _ in range(3):
            async with database.transaction() as tx:
                started = monotonic()
                rows = await count(tx)
                times.append(monotonic() - started)
        click.echo(f"{name}: {min(times) * 1000:.0f} ms, {len(rows)} rows")
    async with database.transaction() as tx:
        await print_plan(tx, case_counts.OPEN, now, AGES)
        await print_plan(tx, case_counts.due_query(len(WITHIN)), now, max(WITHIN), *WITHIN)


async def print_plan(tx: Transaction, query: str, *arguments: object) -> None:
    """Print what PostgreSQL does for a query."""
    for row in await tx.fetch(f"EXPLAIN (ANALYZE, BUFFERS, SUMMARY OFF) {query}", *arguments):
        click.echo(f"    {row[0]}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
