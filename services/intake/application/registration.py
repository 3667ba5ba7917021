"""Registers submissions: numbers new complaints without gaps, encrypts contact data and publishes `registered`, in one transaction."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid5

from services.intake import metrics
from services.intake.application.raw_copies import RawCopies
from services.intake.application.registration_result import PendingRegistration, RegistrationResult, refused_result
from services.intake.application.submission_copies import CASE
from services.intake.application.supplements import SUPPLEMENT, SupplementSigner
from services.intake.domain.number_series import NumberSeries
from services.intake.domain.submission import UUID_NAMESPACE, UnnumberedRegistration, prepare_registration, registered_event
from services.intake.domain.submission_faults import SubmissionFault
from services.intake.storage import attachments, complaints, last_numbers
from services.intake.storage.complaints import ComplaintRow, RegisteredComplaint
from shared.contracts import topics
from shared.contracts.attachments import parse_reference
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.events import encode_event
from shared.contracts.events.triage import Registered
from shared.runtime.clock import Clock
from shared.runtime.database.database import Transaction
from shared.runtime.encryption import EncryptionKeyRing
from shared.runtime.outbox import outbox

RegisterGroup = Callable[[Transaction, Sequence[PendingRegistration]], Awaitable[Sequence[RegistrationResult]]]
SECOND_CLICK = timedelta(minutes=10)
"""How long the same body without a reference is the same submission: a second click is a resend."""


def group_registration(registration: "RegisterComplaints", via: str) -> RegisterGroup:
    """The work of a group commit that registers what came by a transport."""

    async def register_group(tx: Transaction, pending: Sequence[PendingRegistration]) -> Sequence[RegistrationResult]:
        metrics.GROUP_SIZE.observe(len(pending))
        return await registration.register_batch(tx, pending, via)

    return register_group


class RegisterComplaints:
    """Registers batches of submissions; contact data is encrypted with the key ring.

    Without `supplements`, which signs actions, a resend with another text is refused.
    """

    def __init__(self, key_ring: EncryptionKeyRing, clock: Clock, supplements: SupplementSigner | None = None) -> None:
        self._key_ring = key_ring
        self._clock = clock
        self._supplements = supplements
        self._raw_copies = RawCopies(key_ring)

    async def register_batch(self, tx: Transaction, pending: Sequence[PendingRegistration], via: str) -> list[RegistrationResult]:
        """Register the new submissions in order; one result for each. `via` is the way for metrics: http or kafka."""
        now = self._clock.now()
        prepared: dict[str, UnnumberedRegistration] = {}
        for submission in pending:
            if submission.case not in prepared:
                prepared[submission.case] = prepare_registration(
                    submission.submission, submission.context, submission.case, now, submission.unreadable
                )
        # The lock serialises registrations of a register: no other transaction registers these cases in the meantime.
        numbers = await last_numbers.lock_last_numbers(tx, {registration.series for registration in prepared.values()})
        submissions = await _under_cases_of_first_clicks(tx, pending, now - SECOND_CLICK)
        first_submissions: dict[str, PendingRegistration] = {}
        for submission in submissions:
            first_submissions.setdefault(submission.case, submission)
        registered = await complaints.find_registered(tx, first_submissions.keys())
        new = {case: prepared[case] for case in first_submissions if case not in registered}
        events = {case: self._to_event(registration, numbers) for case, registration in new.items()}
        await self._save(tx, events, first_submissions)
        used = {registration.series for registration in new.values()}
        await last_numbers.save_last_numbers(tx, {series: last for series, last in numbers.items() if series in used})
        results = [
            _result(submission, first_submissions, events, registered, can_supplement=self._supplements is not None)
            for submission in submissions
        ]
        if self._supplements is not None:
            added = [submission for submission, result in zip(submissions, results, strict=True) if result.status == SUPPLEMENT]
            await outbox.add(tx, map(self._supplements.record, added))
        await self._keep_copies(tx, submissions, results)
        taken = [submission for submission, result in zip(submissions, results, strict=True) if result.status != "refused"]
        await attachments.mark_permanent(tx, _stored_contents(taken))
        tx.after_commit(lambda: _count_results(results, events, via))
        return results

    async def _keep_copies(
        self, tx: Transaction, submissions: Sequence[PendingRegistration], results: Sequence[RegistrationResult]
    ) -> None:
        """Keep the copies of accepted submissions, each under its case: one without a reference has no other way back to it."""
        copies = [
            replace(submission.copy, headers={**submission.copy.headers, CASE: result.case})
            for submission, result in zip(submissions, results, strict=True)
            if submission.copy is not None and result.status != "refused"
        ]
        await self._raw_copies.keep_all(tx, copies)

    def _to_event(self, registration: UnnumberedRegistration, numbers: dict[NumberSeries, int]) -> Registered:
        numbers[registration.series] += 1
        contact = None if registration.contact is None else self._key_ring.encrypt(registration.contact, registration.case)
        return registered_event(registration, numbers[registration.series], contact)

    async def _save(self, tx: Transaction, events: Mapping[str, Registered], first_submissions: Mapping[str, PendingRegistration]) -> None:
        bodies = {case: encode_event(event) for case, event in events.items()}
        await complaints.insert_complaints(tx, [_to_row(event, first_submissions[case], bodies[case]) for case, event in events.items()])
        await outbox.add(tx, (_to_record(event, first_submissions[case], bodies[case]) for case, event in events.items()))


def _stored_contents(submissions: Sequence[PendingRegistration]) -> set[str]:
    """The digests of the stored attachments that the submissions name."""
    named = (parse_reference(text) for submission in submissions for text in submission.submission.attachments)
    return {reference.sha256 for reference in named if reference is not None}


async def _under_cases_of_first_clicks(
    tx: Transaction, pending: Sequence[PendingRegistration], since: datetime
) -> list[PendingRegistration]:
    """The submissions; those without a reference under the case of the same body from the same source, stored or in the batch."""
    fingerprints = {submission.fingerprint for submission in pending if not submission.has_reference}
    cases = await complaints.find_cases_by_body(tx, fingerprints, since)
    result: list[PendingRegistration] = []
    for submission in pending:
        if not submission.has_reference:
            case = cases.setdefault((submission.context.source.id, submission.fingerprint), submission.case)
            result.append(replace(submission, case=case))
        else:
            result.append(submission)
    return result


def _result(
    submission: PendingRegistration,
    first_submissions: Mapping[str, PendingRegistration],
    events: Mapping[str, Registered],
    registered: Mapping[str, RegisteredComplaint],
    *,
    can_supplement: bool,
) -> RegistrationResult:
    case = submission.case
    event = events.get(case)
    if event is not None:
        known = RegistrationResult("duplicate", case, event.number, tuple(event.missing), tuple(event.unreadable))
        if first_submissions[case] is submission:
            return replace(known, status="registered")
        fingerprint = first_submissions[case].fingerprint
    else:
        earlier = registered[case]
        known = RegistrationResult("duplicate", case, earlier.number, earlier.missing, earlier.unreadable)
        fingerprint = earlier.fingerprint
    # A source that repeats an erased complaint must not bring its text back, as a supplement would.
    if fingerprint in (submission.fingerprint, complaints.ERASED_FINGERPRINT):
        return known
    if submission.fingerprint_must_match:
        return refused_result("key_reused", SubmissionFault("Idempotency-Key", "used_before", "send a new key with a new complaint"))
    if can_supplement and submission.context.source.resend == SUPPLEMENT:
        return replace(known, status=SUPPLEMENT)
    fault = SubmissionFault("external_id", "used_before", "send a new external_id with a new complaint, an old one with the same body")
    return refused_result("reference_reused", fault)


def _to_row(event: Registered, submission: PendingRegistration, body: bytes) -> ComplaintRow:
    complaint = event.complaint
    return ComplaintRow(
        case_id=event.case,
        number=event.number,
        source=complaint.source,
        channel=complaint.channel,
        external_id=complaint.external_id,
        received_at=complaint.received_at,
        registered_at=complaint.registered_at,
        fingerprint=submission.fingerprint,
        body=body.decode(),
    )


def _to_record(event: Registered, submission: PendingRegistration, body: bytes) -> CloudEventRecord:
    return CloudEventRecord(
        topic=topics.COMPLAINT_EVENTS.name,
        key=event.case,
        id=str(uuid5(UUID_NAMESPACE, f"registered {event.case}")),  # a case has only one
        type=event.type,
        at=event.at,
        body=body,
        source="intake",
        sequence=1,
        traceparent=submission.traceparent,
    )


def _count_results(results: Sequence[RegistrationResult], events: Mapping[str, Registered], via: str) -> None:
    for event in events.values():
        metrics.count_registered(event.procedure, event.complaint.channel)
        if event.missing:
            metrics.INCOMPLETE.labels(event.procedure).inc()
    for result in results:
        if result.status == "duplicate":
            metrics.DUPLICATES.labels(via).inc()
        elif result.status == SUPPLEMENT:
            metrics.SUPPLEMENTS.labels(via).inc()
        elif result.status == "refused":
            metrics.count_refused(via, result.reason)
