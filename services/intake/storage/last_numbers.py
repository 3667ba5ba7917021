"""Reads, locks and writes the last case number of each number series (table `book`)."""

from collections.abc import Collection, Mapping

from services.intake.domain.number_series import NumberSeries
from shared.runtime.database.database import Transaction

_INSERT_SERIES = "INSERT INTO book (register, year, last) SELECT *, 0 FROM unnest($1::text[], $2::int[]) ON CONFLICT DO NOTHING"
_LOCK_SERIES = """
SELECT book.register, book.year, last FROM book JOIN unnest($1::text[], $2::int[]) AS wanted (register, year)
USING (register, year) ORDER BY book.register, book.year FOR UPDATE OF book
"""
_UPDATE_LAST_NUMBERS = """
UPDATE book SET last = used.last FROM unnest($1::text[], $2::int[], $3::bigint[]) AS used (register, year, last)
WHERE book.register = used.register AND book.year = used.year
"""


async def lock_last_numbers(tx: Transaction, series: Collection[NumberSeries]) -> dict[NumberSeries, int]:
    """The last number of each series, 0 for a new one; locked until the transaction ends, so that a rollback leaves no gap."""
    wanted = sorted(series)
    columns = [s.register for s in wanted], [s.year for s in wanted]
    rows = await tx.fetch(_LOCK_SERIES, *columns)
    if len(rows) < len(wanted):
        # ON CONFLICT waits for a concurrent insert of the same series, so the second lock finds every row.
        await tx.execute(_INSERT_SERIES, *columns)
        rows = await tx.fetch(_LOCK_SERIES, *columns)
    return {NumberSeries(row["register"], row["year"]): row["last"] for row in rows}


async def save_last_numbers(tx: Transaction, last_numbers: Mapping[NumberSeries, int]) -> None:
    """Write the last number of each series."""
    if last_numbers:
        columns = [s.register for s in last_numbers], [s.year for s in last_numbers], list(last_numbers.values())
        await tx.execute(_UPDATE_LAST_NUMBERS, *columns)
