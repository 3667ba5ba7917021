"""Rebuilds the read model from the topics, and from an export of the ledger what the topics no longer keep, while the old one serves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.desk.application.confidential_fields import ConfidentialFields
from services.desk.application.projecting import ProjectRecords, TopicEvent
from services.desk.storage.filling import shadow_tables
from services.desk.storage.filling.buffered_read_model import BufferedReadModel
from services.desk.storage.reading_progress import ReadingProgress
from shared.runtime.clock import monotonic, uuid7
from shared.runtime.database.database import Database, Transaction


class EventSource(Protocol):
    """Events in batches, each case in order."""

    def batches(self) -> AsyncIterator[Sequence[TopicEvent]]:
        """From where the last call ended up to the present end."""
        ...


@dataclass(frozen=True, slots=True)
class RebuildProgress:
    """Events applied so far, and the real seconds that it took."""

    stage: str
    events: int
    seconds: float


class RebuildReadModel:
    """Fills a second set of tables and swaps it in; `report` is called after each batch."""

    def __init__(self, database: Database, fields: ConfidentialFields, report: Callable[[RebuildProgress], None] = lambda _: None) -> None:
        self._database = database
        self._model = BufferedReadModel(shadow_tables.SUFFIX)
        self._projection = ProjectRecords(fields, None, self._model)
        self._report = report
        self._events = 0
        self._started = monotonic()

    async def run(self, sources: Sequence[EventSource]) -> int:
        """Rebuild from the sources, the oldest first; the last one keeps growing meanwhile. Returns the number of events."""
        self._events, self._started = 0, monotonic()
        async with self._database.transaction() as tx:
            await shadow_tables.create_shadow(tx)
        try:
            for source in sources:
                await self._read(source, "reading")
            async with self._database.transaction() as tx:
                await self._model.flush(tx)
                await shadow_tables.create_shadow_indexes(tx)
            # What came while the indexes were built, so that the writers are held back for a moment only.
            await self._read(sources[-1], "catching up")
            async with self._database.transaction() as tx:
                await shadow_tables.stop_writers(tx)
                await self._read_in(tx, sources[-1])
                await self._model.flush(tx)
                await shadow_tables.swap(tx)
                # Open pages see the new version.
                await ReadingProgress(uuid7()).advance(tx)
        except BaseException:
            async with self._database.transaction() as tx:
                await shadow_tables.drop_shadow(tx)
            raise
        self._note("done")
        return self._events

    async def _read(self, source: EventSource, stage: str) -> None:
        async for batch in source.batches():
            async with self._database.transaction() as tx:
                await self._apply(tx, batch)
            self._note(stage)

    async def _read_in(self, tx: Transaction, source: EventSource) -> None:
        async for batch in source.batches():
            await self._apply(tx, batch)

    async def _apply(self, tx: Transaction, batch: Sequence[TopicEvent]) -> None:
        await self._projection.apply(tx, batch)
        self._events += len(batch)

    def _note(self, stage: str) -> None:
        self._report(RebuildProgress(stage, self._events, monotonic() - self._started))
