"""Lease of an import: renewed beside the work of its holder, and given up at the end of a turn if files of another source wait."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from services.intake.storage import imports
from shared.runtime.clock import monotonic
from shared.runtime.database.database import Database
from shared.runtime.process.failures import is_infrastructure, redacted_reason

LEASE = timedelta(seconds=60)
_RENEWALS = 3
_TURN_BATCHES = 8
log = structlog.get_logger(__name__)


@asynccontextmanager
async def renewed_lease(database: Database, import_id: str, holder: str, lease: timedelta) -> AsyncIterator[None]:
    """Renew the lease until the block ends: opening a workbook may take longer than a lease."""
    task = asyncio.create_task(_renew(database, import_id, holder, lease))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _renew(database: Database, import_id: str, holder: str, lease: timedelta) -> None:
    held = True
    while held:
        await asyncio.sleep(lease.total_seconds() / _RENEWALS)
        try:
            async with database.transaction() as tx:
                held = await imports.renew(tx, import_id, holder, lease)
        except Exception as error:
            if not is_infrastructure(error):
                raise
            log.warning("the lease of an import could not be renewed", import_id=import_id, reason=redacted_reason(error))


class Turn:
    """The batches of one import before those of another source.

    A turn lasts at least as long as opening the file took, so that opening it again takes at most half of the time.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._started = monotonic()
        self._least_seconds = 0.0
        self._batches = 0

    def begin(self) -> None:
        """Begin at the first row that has no result; the time before it was spent on opening."""
        opening_started, self._started = self._started, monotonic()
        self._least_seconds = self._started - opening_started

    async def is_over(self, database: Database) -> bool:
        """Count a batch; True after enough of them if a file of another source waits."""
        self._batches += 1
        if self._batches < _TURN_BATCHES or monotonic() - self._started < self._least_seconds:
            return False
        async with database.transaction() as tx:
            if await imports.is_other_waiting(tx, self._source):
                return True
        self._batches, self._started = 0, monotonic()
        return False
