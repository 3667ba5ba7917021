"""Watches a folder: imports the files of each source's folder, and moves a file aside only after its report is durable."""

import asyncio
import os
from datetime import timedelta
from hashlib import file_digest
from pathlib import Path

import orjson
import structlog

from services.intake.storage import imports
from services.intake.storage.imports import ImportFile
from services.intake.transports.imports.files.opening import is_workbook
from services.intake.transports.imports.importing import Imports
from services.intake.transports.imports.report import report_suffix, write_report
from services.intake.transports.imports.summary import summary
from shared.runtime.database.election import Election
from shared.runtime.process.waiting import sleep_or_stop

DONE, REFUSED = "done", "refused"
_TEMPORARY = (".tmp", ".part", ".partial", ".crdownload", ".filepart")
_LEASE = timedelta(seconds=60)
log = structlog.get_logger(__name__)


class ImportFolder:
    """The folder `root` with a folder for each source; one process of the service watches it at a time."""

    def __init__(self, work: Imports, root: Path, max_bytes: int, accepted: asyncio.Event) -> None:
        self._work = work
        self._root = root
        self._max_bytes = max_bytes
        self._accepted = accepted
        self._election = Election("import-folder", _LEASE)
        self._seen: dict[Path, tuple[int, int]] = {}

    async def watch(self, stop: asyncio.Event, poll_seconds: float) -> None:
        """Look into the folder again and again."""
        while not stop.is_set():
            async with self._work.database.transaction() as tx:
                elected = await self._election.is_elected(tx)
            if elected:
                await self.look()
            await sleep_or_stop(stop, poll_seconds)

    async def look(self) -> None:
        """Accept files that have rested since the last look, and report those whose import has ended."""
        resting = self._resting_files()
        for source, path in resting:
            try:
                await self._handle(source, path)
            except OSError as error:
                # Permissions, a full disk: the file stays, and the next look tries again.
                log.warning("a file of the import folder could not be handled", source=source, reason=error.strerror)

    def _resting_files(self) -> list[tuple[str, Path]]:
        """Files whose size and time of change are those of the last look: no writer is at work any more."""
        seen: dict[Path, tuple[int, int]] = {}
        resting: list[tuple[str, Path]] = []
        for source in self._work.file_maps:
            folder = self._root / source
            folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(folder.iterdir()):
                if path.name.startswith((".", "~$")) or path.suffix.lower() in _TEMPORARY or path.is_symlink() or not path.is_file():
                    continue
                status = path.stat()
                seen[path] = (status.st_size, status.st_mtime_ns)
                if self._seen.get(path) == seen[path]:
                    resting.append((source, path))
        self._seen = seen
        return resting

    async def _handle(self, source: str, path: Path) -> None:
        if self._seen[path][0] > self._max_bytes:
            remedy = f"at most {self._max_bytes} bytes are imported; split the file"
            await self._set_aside(path, {"state": "failed", "errors": [{"field": "file", "rule": "too_large", "remedy": remedy}]})
            return
        digest = await asyncio.to_thread(_digest, path)
        async with self._work.database.transaction() as tx:
            item = await imports.find_unreported(tx, source, digest, folder=True)
        if item is None:
            await self._work.accept(path, path.name, source, folder=True)
            self._accepted.set()
        elif item.state == "done":
            await self._report(item, path)
        elif item.state == "failed":
            await self._set_aside(path, summary(item), item)

    async def _report(self, item: ImportFile, path: Path) -> None:
        done = path.parent / DONE
        done.mkdir(exist_ok=True)
        target = _free_name(done, path.name)
        form = "xlsx" if is_workbook(path) else "csv"
        unfinished = done / f".{item.id}{report_suffix(form)}"
        await write_report(self._work, item, unfinished)
        _sync(unfinished)
        unfinished.rename(done / f"{target.name}{report_suffix(form)}")
        _write_durably(done / f"{target.name}.summary.json", summary(item))
        # Reported first: after a stop in between, the file is imported again, and each of its rows is a duplicate.
        await self._mark(item)
        self._move(path, target)

    async def _mark(self, item: ImportFile) -> None:
        async with self._work.database.transaction() as tx:
            await imports.mark_reported(tx, item.id)

    async def _set_aside(self, path: Path, document: object, item: ImportFile | None = None) -> None:
        refused = path.parent / REFUSED
        refused.mkdir(exist_ok=True)
        target = _free_name(refused, path.name)
        _write_durably(refused / f"{target.name}.summary.json", document)
        if item is not None:
            # Before the move: unmarked, it would be the result of the same file sent again, whatever has been corrected since.
            await self._mark(item)
        self._move(path, target)

    def _move(self, path: Path, target: Path) -> None:
        path.rename(target)
        _sync(target.parent)
        self._seen.pop(path, None)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _free_name(folder: Path, name: str) -> Path:
    """The name in the folder, with a number before its ending if a file has it already."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - of a name, not of a path
    candidates = (folder / f"{stem}{f'-{number}' if number else ''}{suffix}" for number in range(100_000))
    return next(path for path in candidates if not path.exists())


def _write_durably(path: Path, document: object) -> None:
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    _sync(unfinished)
    unfinished.rename(path)


def _sync(path: Path) -> None:
    """Have the file, or the entries of a folder, written to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
