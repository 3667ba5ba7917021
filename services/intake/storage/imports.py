"""Reads and writes imports of files (`import_file`) and the results of their rows (`import_row`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.retention import ROWS_IN_A_STEP, delete_in_steps

_COLUMNS = "id, source, name, sha256, folder, dry_run, state, rows_done, found, fault, counts, replay, created_at, finished_at"
_ROW_COLUMNS = ("import_id", "row", "status", "case_id", "number", "reason", "faults", "unreadable")
_INSERT = f"""
INSERT INTO import_file (id, source, name, sha256, folder, dry_run, state) VALUES ($1, $2, $3, $4, $5, $6, 'running') RETURNING {_COLUMNS}
"""  # noqa: S608 - the columns are constants
# The database's clock, as for every lease: with clocks of their own two processes could hold it at once.
_CLAIM = f"""
UPDATE import_file SET holder = $2, held_until = now() + $3::interval
WHERE id = $1 AND state = 'running' AND (held_until < now() OR holder = $2) RETURNING {_COLUMNS}
"""  # noqa: S608 - the columns are constants
_ADVANCE = """
UPDATE import_file SET rows_done = $4, counts = $5, held_until = now() + $3::interval
WHERE id = $1 AND holder = $2 AND state = 'running' RETURNING id
"""
_FINISH = """
UPDATE import_file SET state = $3, fault = $4, finished_at = now(), held_until = now()
WHERE id = $1 AND holder = $2 AND state = 'running'
"""
_RESTART = """
UPDATE import_file SET state = 'running', replay = true, rows_done = 0, counts = '{}', fault = '', finished_at = NULL
WHERE id = $1 AND state <> 'running' RETURNING id
"""
_RENEW = """
UPDATE import_file SET held_until = now() + $3::interval WHERE id = $1 AND holder = $2 AND state = 'running' RETURNING id
"""
# Round the sources in the order of their ids: a source with many files takes one turn in each round.
_NEXT = """
SELECT id FROM import_file WHERE state = 'running' AND held_until < now() ORDER BY (source <= $1), source, created_at LIMIT 1
"""
_OTHER_WAITING = "SELECT EXISTS (SELECT 1 FROM import_file WHERE state = 'running' AND held_until < now() AND source <> $1)"
_SELECT_ROWS = """
SELECT row, status, case_id, number, reason, faults, unreadable FROM import_row WHERE import_id = $1 AND row > $2 ORDER BY row LIMIT $3
"""
_DELETE_OLD_ROWS = """
DELETE FROM import_row WHERE (import_id, row) IN (
    SELECT import_id, row FROM import_row JOIN import_file ON import_file.id = import_id
    WHERE created_at < now() - $1::interval LIMIT $2)
"""
_DELETE_OLD = """
DELETE FROM import_file WHERE id IN (
    SELECT id FROM import_file WHERE created_at < now() - $1::interval
    AND NOT EXISTS (SELECT 1 FROM import_row WHERE import_id = import_file.id) LIMIT $2)
"""


@dataclass(frozen=True, slots=True)
class ImportFile:
    """An import: `id` is also that of the raw copy; `state` is running, done, failed or reported (its report lies in the folder).

    `rows_done` counts the rows whose results are stored, `found` and `counts` are JSON objects, `fault` the JSON of the cause of a failure.
    `replay`: the raw copy is read again, and rows whose case is registered are left as they are.
    """

    id: str
    source: str
    name: str
    sha256: str
    folder: bool
    dry_run: bool
    state: str
    rows_done: int
    found: str
    fault: str
    counts: str
    replay: bool
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class ImportRow:
    """The result of one row: registered, duplicate, supplement, refused, or valid after a dry run; `faults` is JSON."""

    row: int
    status: str
    case_id: str = ""
    number: str = ""
    reason: str = ""
    faults: str = "[]"
    unreadable: str = ""


async def insert_import(tx: Transaction, import_id: str, source: str, name: str, sha256: str, *, folder: bool, dry_run: bool) -> ImportFile:
    """Insert a new import, which no process holds."""
    [row] = await tx.fetch(_INSERT, import_id, source, name, sha256, folder, dry_run)
    return ImportFile(*row.values())


async def find_import(tx: Transaction, import_id: str) -> ImportFile | None:
    """The import with an id."""
    row = await tx.fetchrow(f"SELECT {_COLUMNS} FROM import_file WHERE id = $1", import_id)  # noqa: S608
    return None if row is None else ImportFile(*row.values())


async def find_unreported(tx: Transaction, source: str, sha256: str, *, folder: bool) -> ImportFile | None:
    """The latest import of the same content that has not been reported, or that a stop interrupted."""
    states = ["running", "done", "failed"] if folder else ["running"]
    query = f"""SELECT {_COLUMNS} FROM import_file
        WHERE source = $1 AND sha256 = $2 AND folder = $3 AND state = ANY($4::text[]) AND NOT dry_run ORDER BY id DESC LIMIT 1"""  # noqa: S608
    row = await tx.fetchrow(query, source, sha256, folder, states)
    return None if row is None else ImportFile(*row.values())


async def find_waiting(tx: Transaction, after_source: str = "") -> str | None:
    """The oldest unfinished import, held by no process, of the next source that has one."""
    import_id: str | None = await tx.fetchval(_NEXT, after_source)
    return import_id


async def is_other_waiting(tx: Transaction, source: str) -> bool:
    """Whether an unfinished import of another source is held by no process."""
    return bool(await tx.fetchval(_OTHER_WAITING, source))


async def claim(tx: Transaction, import_id: str, holder: str, lease: timedelta) -> ImportFile | None:
    """Hold an import that is not finished; None while another process holds it."""
    row = await tx.fetchrow(_CLAIM, import_id, holder, lease)
    return None if row is None else ImportFile(*row.values())


async def advance(tx: Transaction, item: ImportFile, holder: str, lease: timedelta, rows: Sequence[ImportRow]) -> bool:
    """Store the results of rows, and the progress of the import by `item`; False if another process holds it by now."""
    if await tx.fetchval(_ADVANCE, item.id, holder, lease, item.rows_done, item.counts) is None:
        return False
    records = [(item.id, r.row, r.status, r.case_id, r.number, r.reason, r.faults, r.unreadable) for r in rows]
    await tx.copy_rows("import_row", _ROW_COLUMNS, records)
    return True


async def renew(tx: Transaction, import_id: str, holder: str, lease: timedelta) -> bool:
    """Hold the import for another lease; False if it is finished, released, or held by another process."""
    return await tx.fetchval(_RENEW, import_id, holder, lease) is not None


async def release(tx: Transaction, import_id: str, holder: str) -> None:
    """Let another process continue an import at once."""
    # Without a holder, so that a renewal under way cannot hold it again.
    await tx.execute("UPDATE import_file SET held_until = '-infinity', holder = '' WHERE id = $1 AND holder = $2", import_id, holder)


async def save_found(tx: Transaction, import_id: str, found: dict[str, str]) -> None:
    """Store the properties found of the file."""
    await tx.execute("UPDATE import_file SET found = $2 WHERE id = $1", import_id, orjson.dumps(found).decode())


async def finish(tx: Transaction, import_id: str, holder: str, state: str, fault: str = "") -> None:
    """End an import that this process holds."""
    await tx.execute(_FINISH, import_id, holder, state, fault)


async def mark_reported(tx: Transaction, import_id: str) -> None:
    """Note that the report of a finished import lies beside its file."""
    await tx.execute("UPDATE import_file SET state = 'reported' WHERE id = $1 AND state IN ('done', 'failed')", import_id)


async def restart(tx: Transaction, import_id: str) -> bool:
    """Have a finished import read again from its first row; False if there is none."""
    await tx.execute("DELETE FROM import_row WHERE import_id = $1", import_id)
    return bool(await tx.fetchval(_RESTART, import_id))


async def find_rows(tx: Transaction, import_id: str, after: int, limit: int) -> list[ImportRow]:
    """The next results in the order of the rows."""
    return [ImportRow(*row.values()) for row in await tx.fetch(_SELECT_ROWS, import_id, after, limit)]


async def delete_old(database: Database, retention: timedelta) -> int:
    """Delete imports that are older than the retention, and the results of their rows; returns how many of both."""

    async def delete_rows(tx: Transaction) -> int:
        return int((await tx.execute(_DELETE_OLD_ROWS, retention, ROWS_IN_A_STEP)).split()[-1])

    async def delete_files(tx: Transaction) -> int:
        return int((await tx.execute(_DELETE_OLD, retention, ROWS_IN_A_STEP)).split()[-1])

    return await delete_in_steps(database, delete_rows) + await delete_in_steps(database, delete_files)
