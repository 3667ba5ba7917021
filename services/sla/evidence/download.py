"""Makes the evidence archive of a case for a person who may see all of it."""

from __future__ import annotations

import asyncio
from io import BytesIO

import orjson

from services.sla.application.errors import CaseNotFoundError, EvidenceFaultyError, EvidenceNotAllowedError
from services.sla.application.queries import CaseQueries
from services.sla.application.rulebooks import HistoricalRulebooks
from services.sla.attachments.access import stored_references
from services.sla.domain.evidence.case_history import verify_history
from services.sla.evidence.archive import ATTACHMENT_LISTING, NO_STORE, archive_files, write_files
from services.sla.storage import case_histories, seals
from shared.procedures.access import Actor


class DownloadEvidence:
    """Answers of the route that exports evidence; visibility is that of the case."""

    def __init__(self, case_queries: CaseQueries) -> None:
        self._cases = case_queries

    async def archive(self, case_id: str, actor: Actor) -> bytes:
        """The archive, without the attachments, which intake stores; they are listed in it with their digests.

        Raises `CaseNotFoundError`, `EvidenceNotAllowedError` or `EvidenceFaultyError`.
        """
        now = self._cases.clock.now()
        case = await self._cases.load_visible_case(case_id, actor, now)
        # The ledger cannot be redacted: without the hidden values its hashes would not hold.
        if self._cases.hidden_fields(actor, case, now):
            raise EvidenceNotAllowedError
        database = self._cases.database
        histories = [history async for history in case_histories.load_case_histories(database, [case_id])]
        if not histories:
            raise CaseNotFoundError
        async with database.transaction() as tx:
            rulebooks, year_seals = await HistoricalRulebooks.load(tx), await seals.load_seals_of_case(tx, case_id)
        history = histories[0]
        # An archive of a changed ledger would fail its own verification.
        if faults := verify_history(history):
            raise EvidenceFaultyError(faults)
        try:
            # A replay takes milliseconds for each event; other requests are served meanwhile.
            files = await asyncio.to_thread(archive_files, history, rulebooks, year_seals, now)
        except ValueError as error:
            raise EvidenceFaultyError([str(error)]) from error
        events = [orjson.loads(row.body) for row in history.rows]
        named = dict.fromkeys((reference.sha256, reference.name) for event in events for reference in stored_references(event))
        listing = [{"sha256": sha256, "name": name, "state": NO_STORE, "because": ""} for sha256, name in named]
        if listing:
            files[ATTACHMENT_LISTING] = orjson.dumps(listing)
        content = BytesIO()
        write_files(content, files)
        return content.getvalue()
