"""Applies records of the topics to the read model, a batch in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.desk.application.confidential_fields import ConfidentialFields
from services.desk.application.projected_batch import ProjectedBatch
from services.desk.domain.case_row import CaseRow, apply_event, register_case
from services.desk.domain.figures.case_sums import CountedCase, counted_case
from services.desk.domain.figures.figure_days import note_event, note_registration
from services.desk.storage.filling.projections import ReadModel
from services.desk.storage.reading_progress import ReadingProgress
from shared.contracts import topics
from shared.contracts.events.base import CaseEvent
from shared.procedures.calendars.zones import organisation_zone
from shared.runtime.database.database import Transaction

TopicEvent = tuple[str, Any, bytes]
"""Topic, decoded event, body."""


class ProjectRecords:
    """Projects records; `progress` None: into tables that no one reads yet."""

    def __init__(self, fields: ConfidentialFields, progress: ReadingProgress | None, model: ReadModel | None = None) -> None:
        self._fields = fields
        self._progress = progress
        self._model = model or ReadModel()
        self._zone = organisation_zone(fields.organisation)

    async def apply(self, tx: Transaction, records: Sequence[TopicEvent]) -> None:
        """Apply records of any of the topics, each partition in order. What was applied before changes nothing."""
        events = [(topic, event, body) for topic, event, body in records if isinstance(event, CaseEvent)]
        case_ids = {event.case for topic, event, _ in events if topic != topics.NOTIFICATION_EVENTS.name}
        rows = await self._model.load_rows(tx, case_ids)
        counted = {case_id: counted_case(row) for case_id, row in rows.items()}
        batch = ProjectedBatch()
        for topic, event, body in events:
            if topic == topics.NOTIFICATION_EVENTS.name:
                batch.add_outcome(event)
                continue
            row = rows.setdefault(event.case, CaseRow(event.case))
            if topic == topics.COMPLAINT_EVENTS.name:
                self._register(row, event, batch)
            elif event.sequence > row.sequence:
                self._apply(row, event, body, batch)
        await self._save(tx, rows, counted, batch)

    def _register(self, row: CaseRow, event: Any, batch: ProjectedBatch) -> None:
        # intake's registration is read before sla's, which carries the same complaint: the case is listed at once.
        if row.sequence == 0 and event.type == "registered":
            hidden = self._fields.hidden(event.procedure, event.version)
            register_case(row, event, hidden)
            note_registration(row, self._zone)
            batch.add_complaint(event, hidden)

    def _apply(self, row: CaseRow, event: CaseEvent, body: bytes, batch: ProjectedBatch) -> None:
        hidden = self._fields.hidden(event.procedure or row.procedure, event.version or row.version)
        before = (row.state == "open", row.department, row.proposed, row.cooperating, row.handler)
        apply_event(row, event, hidden)
        note_event(row, event, self._zone, self._fields.satisfied_from(row.procedure, row.version))
        batch.add_event(event, body, hidden)
        if before != (row.state == "open", row.department, row.proposed, row.cooperating, row.handler):
            # The search keys hold whether a case is open and who sees it.
            batch.reindexed.add(row.case_id)

    async def _save(
        self, tx: Transaction, rows: dict[str, CaseRow], counted: Mapping[str, CountedCase | None], batch: ProjectedBatch
    ) -> None:
        model = self._model
        for row in rows.values():
            row.seen_by = self._fields.seen_by(row.department, row.proposed, row.cooperating, row.handler)
        await model.save_rows(tx, rows.values())
        await model.add_events(tx, batch.events)
        known = await model.load_runs(tx, {case for case, _, _ in batch.runs}) if batch.runs else {}
        await model.save_deadlines(tx, batch.merged_runs(known))
        await model.save_messages(tx, batch.messages)
        await model.save_deliveries(tx, list(batch.deliveries.values()))
        await model.add_attachments(tx, batch.attachments)
        if touched := {*batch.texts, *batch.appended, *batch.reindexed}:
            words = await model.load_words(tx, touched)
            await model.save_words(tx, batch.search_rows(rows, words))
        if batch.erased:
            await model.erase(tx, sorted(batch.erased))
        # At the end: other processes wait for these rows until the transaction is over.
        await model.save_sums(tx, counted, rows.values())
        if self._progress is not None:
            await self._progress.advance(tx)
