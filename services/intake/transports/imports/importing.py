"""Imports a file: keeps it, registers its rows batch by batch, and stores the result of each row in the transaction that registers it."""

import asyncio
import tempfile
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import orjson
import structlog

from services.intake.application.parts import IntakeParts
from services.intake.application.raw_copies import PART_BYTES, IncompleteCopyError, RawSubmission
from services.intake.attachments.content_types import UNKNOWN_TYPE, stored_name
from services.intake.channels.mapped_rows import RowReader
from services.intake.domain.submission import SourceContext
from services.intake.storage import imports, raw_copies
from services.intake.storage.imports import ImportFile
from services.intake.transports.imports.files.excel_table import ExcelLimits
from services.intake.transports.imports.files.opening import open_table
from services.intake.transports.imports.files.table import Table, TableRow
from services.intake.transports.imports.files.unusable_file import UnusableFileError
from services.intake.transports.imports.lease import LEASE, Turn, renewed_lease
from services.intake.transports.imports.registering import RowRegistration
from services.intake.transports.imports.rows import ReadRow, RowSubmissions
from shared.procedures.source_formats.file_map import FileMap
from shared.runtime.clock import uuid7
from shared.runtime.database.database import Database
from shared.runtime.encryption import DecryptionError

CHANNEL = "file"
_ROWS_THAT_TELL = 1000
TEMPORARY_PREFIX = "jiesu-import-"
"""Of folders with files in plain text, for as long as they are read."""
log = structlog.get_logger(__name__)


class LeaseLostError(RuntimeError):
    """Another process holds the import by now."""


@dataclass(frozen=True, slots=True)
class _Watch:
    """The stop condition of an import between two batches, and the receiver of its progress."""

    stop: asyncio.Event | None
    on_batch: Callable[[ImportFile], None]
    turn: Turn | None = None


class Imports:
    """Imports files of sources; `file_maps` maps source ids to the columns of their files."""

    def __init__(self, database: Database, parts: IntakeParts, file_maps: dict[str, FileMap]) -> None:
        self.database = database
        self.file_maps = file_maps
        self.sources = parts.sources
        self.lease = LEASE
        self._parts = parts
        self._rows = RowRegistration(parts.registration)
        self._limits = ExcelLimits(parts.settings.import_memory_bytes, unpacked_bytes=parts.settings.import_unpacked_bytes)

    async def accept(self, path: Path, name: str, source: str, *, folder: bool = False, dry_run: bool = False) -> ImportFile:
        """Keep the file, sealed, in one transaction; when this returns it can be imported by any process."""
        import_id, digest = uuid7(), sha256()
        name = stored_name(name, UNKNOWN_TYPE) if name else ""
        async with self.database.transaction() as tx:
            with path.open("rb") as file:
                for part, (block, is_last) in enumerate(_blocks(file)):
                    digest.update(block)
                    raw = RawSubmission(source, CHANNEL, name, block)
                    await self._parts.raw_copies.keep_part(tx, import_id, part, raw, is_last=is_last)
            return await imports.insert_import(tx, import_id, source, name, digest.hexdigest(), folder=folder, dry_run=dry_run)

    async def check(self, item: ImportFile) -> Counter[str]:
        """The number of rows by result; registers and stores nothing. Raises `UnusableFileError`."""
        counts: Counter[str] = Counter()
        checked = replace(item, dry_run=True)
        async with self.opened(item) as (table, row_reader):
            submissions = self._submissions(item, table, row_reader)
            while rows := list(islice(table.rows, self._parts.settings.import_batch_rows)):
                read = [row for row in _read_rows(rows, submissions) if row is not None]
                async with self.database.transaction() as tx:
                    counts.update(result.status for result in await self._rows.results(tx, read, checked))
        return counts

    async def run(
        self,
        import_id: str,
        holder: str,
        stop: asyncio.Event | None = None,
        on_batch: Callable[[ImportFile], None] = lambda _: None,
        *,
        takes_turns: bool = False,
    ) -> ImportFile | None:
        """Import the rows that have no result yet, up to the end or `stop`; the import afterwards, None if another process holds it.

        `takes_turns`: stop after a few batches if a file of another source waits.
        """
        async with self.database.transaction() as tx:
            item = await imports.claim(tx, import_id, holder, self.lease)
        if item is None:
            return None
        watch = _Watch(stop, on_batch, Turn(item.source) if takes_turns else None)
        try:
            async with renewed_lease(self.database, item.id, holder, self.lease), self.opened(item) as (table, row_reader):
                await self._import_rows(item, holder, table, row_reader, watch)
        except UnusableFileError as error:
            await self._finish(item.id, holder, "failed", error)
        except asyncio.CancelledError:
            # The same command, or the service, goes on at once.
            async with self.database.transaction() as tx:
                await imports.release(tx, item.id, holder)
            raise
        except LeaseLostError:
            log.warning("another process has taken the import over", import_id=item.id)
        async with self.database.transaction() as tx:
            return await imports.find_import(tx, import_id)

    @asynccontextmanager
    async def opened(self, item: ImportFile) -> AsyncIterator[tuple[Table, RowReader]]:
        """The table of an import, from its raw copy in a temporary folder that is deleted afterwards; raises `UnusableFileError`."""
        context, file_map = self._context(item)
        with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX) as folder:
            path = Path(folder, "file")
            await self._restore(item, path)
            table = await open_table(path, Path(folder, "lines"), file_map, self._limits)
            row_reader = RowReader(file_map, table.titles, context.zone)
            if row_reader.lacks_required:
                titles = ", ".join(row_reader.lacks_required)
                remedy = f"the row of titles lacks {titles}, without which no row can be registered; correct the file or the column map"
                raise UnusableFileError("missing_columns", remedy)
            yield table, row_reader

    def _submissions(self, item: ImportFile, table: Table, row_reader: RowReader) -> RowSubmissions:
        return RowSubmissions(self._parts.reader, self._context(item)[0], row_reader, has_delimiter=table.form == "csv")

    def _context(self, item: ImportFile) -> tuple[SourceContext, FileMap]:
        context, file_map = self.sources.contexts.get(item.source), self.file_maps.get(item.source)
        if context is None or file_map is None:
            raise UnusableFileError("no_column_map", "add imports to the source in the organisation file", "source")
        return context, file_map

    async def _restore(self, item: ImportFile, path: Path) -> None:
        async with self.database.transaction() as tx:
            head = await raw_copies.find_head(tx, item.id)
        if head is None:
            raise UnusableFileError("deleted", "its copy is past JIESU_RAW_RETENTION_DAYS; send the file again")
        try:
            with path.open("wb") as file:
                async for block in self._parts.raw_copies.open_parts(self.database, head):
                    file.write(block)
        except IncompleteCopyError as error:
            raise UnusableFileError("incomplete", "a part of its copy is missing, as after its deletion; send the file again") from error
        except DecryptionError as error:
            raise UnusableFileError("sealed", "the key of its copy is not in JIESU_SEALING_KEYS; add it, and replay the import") from error

    async def _import_rows(self, item: ImportFile, holder: str, table: Table, row_reader: RowReader, watch: _Watch) -> None:
        found = table.found | {"missing_columns": ", ".join(row_reader.missing), "ignored_columns": ", ".join(row_reader.ignored)}
        async with self.database.transaction() as tx:
            await imports.save_found(tx, item.id, {name: text for name, text in found.items() if text})
        submissions = self._submissions(item, table, row_reader)
        # Another thread: a million rows take seconds.
        await asyncio.to_thread(deque, islice(table.rows, item.rows_done), 0)
        if watch.turn is not None:
            watch.turn.begin()
        while watch.stop is None or not watch.stop.is_set():
            rows = list(islice(table.rows, self._parts.settings.import_batch_rows))
            if not rows:
                await self._finish(item.id, holder, "done")
                return
            if item.rows_done + len(rows) > self._parts.settings.import_max_rows:
                raise UnusableFileError("too_many", f"send at most {self._parts.settings.import_max_rows} rows in a file", "rows")
            item = await self._import_batch(item, holder, rows, submissions)
            watch.on_batch(item)
            if item.rows_done >= _ROWS_THAT_TELL and orjson.loads(item.counts).keys() <= {"refused", "empty"}:
                # Millions of refusals of a wrong file would hold up the files of all sources.
                raise UnusableFileError("all_refused", f"the first {item.rows_done} rows were refused; correct the file or the map", "rows")
            if watch.turn is not None and await watch.turn.is_over(self.database):
                break
        async with self.database.transaction() as tx:
            await imports.release(tx, item.id, holder)

    async def _import_batch(self, item: ImportFile, holder: str, rows: list[TableRow], submissions: RowSubmissions) -> ImportFile:
        read = [row for row in _read_rows(rows, submissions) if row is not None]
        async with self.database.transaction() as tx:
            results = await self._rows.results(tx, read, item)
            counts = Counter(orjson.loads(item.counts))
            counts.update(result.status for result in results)
            counts.update(empty=len(rows) - len(read))
            item = replace(item, rows_done=item.rows_done + len(rows), counts=orjson.dumps(+counts).decode())
            if not await imports.advance(tx, item, holder, self.lease, results):
                # Rolls back: the rows of this batch are the other process's.
                raise LeaseLostError(item.id)
        return item

    async def _finish(self, import_id: str, holder: str, state: str, error: UnusableFileError | None = None) -> None:
        fault = error.fault if error else None
        text = orjson.dumps({"field": fault.field, "rule": fault.rule, "remedy": fault.remedy}).decode() if fault else ""
        async with self.database.transaction() as tx:
            await imports.finish(tx, import_id, holder, state, text)


def _blocks(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """The parts of the file, each with the mark of the last one; an empty file has one part."""
    block, is_last = file.read(PART_BYTES), False
    while not is_last:
        following = file.read(PART_BYTES)
        is_last = not following
        yield block, is_last
        block = following


def _read_rows(rows: list[TableRow], submissions: RowSubmissions) -> Iterator[ReadRow | None]:
    return (submissions.read(row) for row in rows)
