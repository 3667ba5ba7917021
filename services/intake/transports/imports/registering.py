"""Registers rows as HTTP registers submissions, and gives the result of each."""

from collections.abc import Mapping, Sequence

import orjson
import structlog

from services.intake import metrics
from services.intake.application.registration import RegisterComplaints
from services.intake.application.registration_result import PendingRegistration, RegistrationResult, refused_result, refused_submission
from services.intake.domain.submission_faults import SubmissionFault
from services.intake.storage import complaints, refusals
from services.intake.storage.complaints import RegisteredComplaint
from services.intake.storage.imports import ImportFile, ImportRow
from services.intake.transports.imports.rows import ReadRow, pending
from shared.runtime.database.bisection import apply_or_bisect
from shared.runtime.database.database import Transaction
from shared.runtime.process.failures import redacted_reason

VIA_FILE = "file"
_FAILED = SubmissionFault("row", "failed", "show this row's number to the operator: a fault of ours, whose log names the import")
log = structlog.get_logger(__name__)


class RowRegistration:
    """Registers the rows of a batch in the caller's transaction."""

    def __init__(self, registration: RegisterComplaints) -> None:
        self._registration = registration

    async def results(self, tx: Transaction, rows: Sequence[ReadRow], item: ImportFile) -> list[ImportRow]:
        """One result for each row; a dry run registers nothing."""
        to_register = pending(rows)
        outcomes = await (self._checked(tx, to_register) if item.dry_run else self._registered(tx, to_register, item))
        refused = [row for row in rows if isinstance(row.reading, RegistrationResult)]
        if not item.dry_run:
            references = [(row, row.reference or f"{item.id} row {row.number}") for row in refused]
            await refusals.insert_refusals(
                tx,
                [
                    refused_submission(row.reading, VIA_FILE, item.source, reference)
                    for row, reference in references
                    if isinstance(row.reading, RegistrationResult)
                ],
            )
            tx.after_commit(lambda: _count(len(rows), refused))
        return [_to_row(row, row.reading if isinstance(row.reading, RegistrationResult) else outcomes[id(row.reading)]) for row in rows]

    async def _registered(
        self, tx: Transaction, submissions: Sequence[PendingRegistration], item: ImportFile
    ) -> Mapping[int, RegistrationResult]:
        outcomes: dict[int, RegistrationResult] = {}
        if item.replay:
            known = await complaints.find_registered(tx, {submission.case for submission in submissions})
            outcomes = {id(each): result for each in submissions if (result := _known(each, known.get(each.case)))}
            submissions = [submission for submission in submissions if id(submission) not in outcomes]

        async def register(part: Sequence[PendingRegistration]) -> None:
            results = await self._registration.register_batch(tx, part, VIA_FILE)
            outcomes.update((id(submission), result) for submission, result in zip(part, results, strict=True))

        async def fail(submission: PendingRegistration, error: Exception) -> None:
            log.error("a row could not be registered", import_id=item.id, reason=redacted_reason(error))
            outcomes[id(submission)] = refused_result("invalid", _FAILED)

        # A row that the database refuses fails alone, and the import goes on behind it.
        await apply_or_bisect(tx, submissions, register, fail)
        return outcomes

    async def _checked(self, tx: Transaction, submissions: Sequence[PendingRegistration]) -> Mapping[int, RegistrationResult]:
        known = await complaints.find_registered(tx, {submission.case for submission in submissions})
        return {
            id(submission): _known(submission, known.get(submission.case)) or RegistrationResult("valid", unreadable=submission.unreadable)
            for submission in submissions
        }


def _known(submission: PendingRegistration, registered: RegisteredComplaint | None) -> RegistrationResult | None:
    return None if registered is None else RegistrationResult("duplicate", submission.case, registered.number)


def _to_row(row: ReadRow, result: RegistrationResult) -> ImportRow:
    faults = [{"field": fault.field, "rule": fault.rule, "remedy": fault.remedy} for fault in result.faults]
    return ImportRow(
        row=row.number,
        status=result.status,
        case_id=result.case,
        number=result.number,
        reason=result.reason,
        faults=orjson.dumps(faults).decode(),
        unreadable=", ".join(result.unreadable),
    )


def _count(received: int, refused: Sequence[ReadRow]) -> None:
    metrics.RECEIVED.labels(VIA_FILE).inc(received)
    for row in refused:
        if isinstance(row.reading, RegistrationResult):
            metrics.count_refused(VIA_FILE, row.reading.reason)
