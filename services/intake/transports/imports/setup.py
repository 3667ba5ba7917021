"""Adds imports to the intake service: routes, the loop that imports, and the loop that watches the folder."""

import asyncio
import contextlib
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from services.intake.application.parts import IntakeParts
from services.intake.storage import imports
from services.intake.transports.imports import api
from services.intake.transports.imports.folder import ImportFolder
from services.intake.transports.imports.importing import TEMPORARY_PREFIX, Imports
from shared.procedures.loading.source_formats import load_file_map
from shared.runtime.clock import Clock, uuid7
from shared.runtime.database.database import Database
from shared.runtime.process.waiting import sleep_or_stop
from shared.runtime.service import Service

_IDLE_SECONDS = 2.0
_DELETE_SECONDS = 3600.0
_LEFT_OVER = timedelta(days=1)
"""Longer than an import takes: the folder of a running one of another process has to stay."""
log = structlog.get_logger(__name__)


def make_imports(database: Database, parts: IntakeParts) -> Imports:
    """Imports by the column maps of the organisation file; raises `ProcedureError` for one that cannot be used."""
    folder = parts.settings.organisation.parent
    maps = {source: load_file_map(context.source, folder) for source, context in parts.sources.contexts.items()}
    return Imports(database, parts, {source: file_map for source, file_map in maps.items() if file_map is not None})


def register(service: Service, parts: IntakeParts) -> None:
    """Add the routes and loops; without a source that has a column map only the routes, which refuse files."""
    work = make_imports(service.database, parts)
    accepted = asyncio.Event()
    api.add_routes(service.app, work, parts, accepted)
    service.add_background_loop("imports-retention", lambda stop: _delete_old(service.database, parts.settings.raw_retention_days, stop))
    if not work.file_maps:
        return
    service.add_background_loop("imports", lambda stop: import_waiting(work, accepted, stop))
    if parts.settings.import_folder is not None:
        folder = ImportFolder(work, parts.settings.import_folder, parts.settings.max_import_bytes, accepted)
        service.add_background_loop("import-folder", lambda stop: folder.watch(stop, parts.settings.import_poll_seconds))


def delete_left_over(folder: Path, before: datetime) -> None:
    """Delete temporary folders that killed imports left: they hold complaints in plain text."""
    for path in folder.glob(f"{TEMPORARY_PREFIX}*"):
        # Another process may delete the same one.
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before.timestamp():
                shutil.rmtree(path, ignore_errors=True)


async def import_waiting(work: Imports, accepted: asyncio.Event, stop: asyncio.Event) -> None:
    """Import the waiting files, the sources in turns, the oldest file of a source first; leases that have ended are taken over."""
    holder, source = uuid7(), ""
    while not stop.is_set():
        accepted.clear()
        async with work.database.transaction() as tx:
            import_id = await imports.find_waiting(tx, source)
        if import_id is None:
            waiting = [asyncio.create_task(accepted.wait()), asyncio.create_task(sleep_or_stop(stop, _IDLE_SECONDS))]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
            continue
        item = await work.run(import_id, holder, stop, takes_turns=True)
        if item is None:
            continue
        source = item.source
        if item.state != "running":
            log.info("import", import_id=item.id, source=item.source, state=item.state, rows=item.rows_done)


async def _delete_old(database: Database, days: int, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await imports.delete_old(database, timedelta(days=days))
        await asyncio.to_thread(delete_left_over, Path(tempfile.gettempdir()), Clock().real_now() - _LEFT_OVER)
        await sleep_or_stop(stop, _DELETE_SECONDS)
