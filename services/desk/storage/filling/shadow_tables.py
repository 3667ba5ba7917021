"""A second set of the read model's tables, which a rebuild fills while the first one serves, and then puts in its place."""

from __future__ import annotations

import re

from services.desk.storage.tables import READ_MODEL
from shared.runtime.database.database import Transaction

SUFFIX = "_next"
_INDEX_HEAD = re.compile(r"^CREATE INDEX (\w+) ON (?:\w+\.)?(\w+) ")
_INDEXES = """
SELECT indexname, tablename, indexdef FROM pg_indexes
 WHERE schemaname = current_schema() AND tablename = ANY($1::text[]) AND indexdef LIKE 'CREATE INDEX%' ORDER BY indexname
"""


async def create_shadow(tx: Transaction) -> None:
    """Create the empty tables; those of a rebuild that was broken off are dropped."""
    for table in READ_MODEL:
        await tx.execute(f"DROP TABLE IF EXISTS {table}{SUFFIX}")
        # Without the other indexes: built once over all rows, those of grams take a fifth of the time.
        await tx.execute(f"CREATE TABLE {table}{SUFFIX} (LIKE {table} INCLUDING DEFAULTS)")
        columns = await _key_columns(tx, table)
        await tx.execute(f"ALTER TABLE {table}{SUFFIX} ADD CONSTRAINT {table}{SUFFIX}_pkey PRIMARY KEY ({columns})")


async def create_shadow_indexes(tx: Transaction) -> None:
    """Create the indexes that the serving tables have."""
    # Longer than any query may take otherwise.
    await tx.execute("SELECT set_config('statement_timeout', '0', true)")
    for row in await tx.fetch(_INDEXES, list(READ_MODEL)):
        head = f"CREATE INDEX {row['indexname']}{SUFFIX} ON {row['tablename']}{SUFFIX} "
        await tx.execute(_INDEX_HEAD.sub(head, row["indexdef"]))
    for table in READ_MODEL:
        await tx.execute(f"ANALYZE {table}{SUFFIX}")


async def stop_writers(tx: Transaction) -> None:
    """Hold back the consumers' batches until the end of the transaction; people keep reading."""
    await tx.execute("LOCK TABLE case_row IN EXCLUSIVE MODE")


async def swap(tx: Transaction) -> None:
    """Put the shadow in the place of the serving tables, which are dropped."""
    # In the order in which every query takes its tables, case_row first: another order could make a deadlock with one.
    await tx.execute(f"LOCK TABLE {', '.join(READ_MODEL)} IN ACCESS EXCLUSIVE MODE")
    indexes = await tx.fetch(_INDEXES, list(READ_MODEL))
    for table in READ_MODEL:
        await tx.execute(f"DROP TABLE {table}")
        await tx.execute(f"ALTER TABLE {table}{SUFFIX} RENAME TO {table}")
        await tx.execute(f"ALTER INDEX {table}{SUFFIX}_pkey RENAME TO {table}_pkey")
    for row in indexes:
        await tx.execute(f"ALTER INDEX {row['indexname']}{SUFFIX} RENAME TO {row['indexname']}")


async def drop_shadow(tx: Transaction) -> None:
    """Drop what a rebuild that failed has left."""
    for table in READ_MODEL:
        await tx.execute(f"DROP TABLE IF EXISTS {table}{SUFFIX}")


async def _key_columns(tx: Transaction, table: str) -> str:
    statement = """
SELECT string_agg(quote_ident(attname), ', ' ORDER BY array_position(indkey::int2[], attnum))
  FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
 WHERE indrelid = $1::text::regclass AND indisprimary
"""
    return str(await tx.fetchval(statement, table))
