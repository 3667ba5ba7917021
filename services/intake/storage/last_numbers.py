"""The last number of each book."""

from collections.abc import Collection

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
    """The last number of each book, locked until the transaction ends: whoever fails gives its numbers back."""
    wanted = sorted(series)
    arguments = [b.register for b in wanted], [b.year for b in wanted]
    rows = await tx.fetch(_LOCK_SERIES, *arguments)
    if len(rows) < len(wanted):
        await tx.execute(_INSERT_SERIES, *arguments)
        rows = await tx.fetch(_LOCK_SERIES, *arguments)
    return {NumberSeries(row["register"], row["year"]): row["last"] for row in rows}


async def save_last_numbers(tx: Transaction, last_numbers: dict[NumberSeries, int]) -> None:
    """Set the last number of each book."""
    if last_numbers:
        await tx.execute(
            _UPDATE_LAST_NUMBERS, [b.register for b in last_numbers], [b.year for b in last_numbers], list(last_numbers.values())
        )
