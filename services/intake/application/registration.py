"""Registers submissions: numbers new complaints without gaps, encrypts contact data and publishes `registered`, in one transaction."""

from collections.abc import Mapping, Sequence
from uuid import uuid5

from services.intake import metrics
from services.intake.application.registration_result import PendingRegistration, RegistrationResult, refused_result
from services.intake.domain.number_series import NumberSeries
from services.intake.domain.submission import UUID_NAMESPACE, UnnumberedRegistration, prepare_registration, registered_event
from services.intake.domain.submission_faults import SubmissionFault
from services.intake.storage import complaints, last_numbers
from services.intake.storage.complaints import ComplaintRow, RegisteredComplaint
from shared.contracts import topics
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.events import encode_event
from shared.contracts.events.triage import Registered
from shared.runtime.clock import Clock
from shared.runtime.database.database import Transaction
from shared.runtime.encryption import EncryptionKeyRing
from shared.runtime.outbox import outbox


class RegisterComplaints:
    """Registers batches of submissions; contact data is encrypted with the key ring."""

    def __init__(self, key_ring: EncryptionKeyRing, clock: Clock) -> None:
        self._key_ring = key_ring
        self._clock = clock

    async def register_batch(self, tx: Transaction, pending: Sequence[PendingRegistration], via: str) -> list[RegistrationResult]:
        """Register the new submissions in order; one result for each. `via` is the way for metrics: http or kafka."""
        now = self._clock.now()
        first_submissions: dict[str, PendingRegistration] = {}
        unnumbered: dict[str, UnnumberedRegistration] = {}
        for submission in pending:
            if submission.case not in first_submissions:
                first_submissions[submission.case] = submission
                unnumbered[submission.case] = prepare_registration(submission.submission, submission.context, submission.case, now)
        # The lock serialises registrations of a register: no other transaction registers these cases in the meantime.
        numbers = await last_numbers.lock_last_numbers(tx, {registration.series for registration in unnumbered.values()})
        registered = await complaints.find_registered(tx, unnumbered.keys())
        new = {case: registration for case, registration in unnumbered.items() if case not in registered}
        events = {case: self._to_event(registration, numbers) for case, registration in new.items()}
        await self._save(tx, events, first_submissions)
        used = {registration.series for registration in new.values()}
        await last_numbers.save_last_numbers(tx, {series: last for series, last in numbers.items() if series in used})
        results = _results(pending, first_submissions, events, registered)
        tx.after_commit(lambda: _count_results(results, events, via))
        return results

    def _to_event(self, registration: UnnumberedRegistration, numbers: dict[NumberSeries, int]) -> Registered:
        numbers[registration.series] += 1
        contact = None if registration.contact is None else self._key_ring.encrypt(registration.contact, registration.case)
        return registered_event(registration, numbers[registration.series], contact)

    async def _save(self, tx: Transaction, events: Mapping[str, Registered], first_submissions: Mapping[str, PendingRegistration]) -> None:
        bodies = {case: encode_event(event) for case, event in events.items()}
        await complaints.insert_complaints(tx, [_to_row(event, first_submissions[case], bodies[case]) for case, event in events.items()])
        await outbox.add(tx, (_to_record(event, first_submissions[case], bodies[case]) for case, event in events.items()))


def _results(
    pending: Sequence[PendingRegistration],
    first_submissions: Mapping[str, PendingRegistration],
    events: Mapping[str, Registered],
    registered: Mapping[str, RegisteredComplaint],
) -> list[RegistrationResult]:
    answered: set[str] = set()
    results: list[RegistrationResult] = []
    for submission in pending:
        case = submission.case
        event, earlier = events.get(case), registered.get(case)
        fingerprint = earlier.fingerprint if earlier else first_submissions[case].fingerprint
        if submission.fingerprint_must_match and submission.fingerprint != fingerprint:
            fault = SubmissionFault("Idempotency-Key", "used_before", "send a new key with a new complaint")
            results.append(refused_result("key_reused", fault))
        else:
            status = "registered" if event and case not in answered else "duplicate"
            number = event.number if event else earlier.number if earlier else ""
            missing = tuple(event.missing) if event else earlier.missing if earlier else ()
            results.append(RegistrationResult(status, case, number, missing))
        answered.add(case)
    return results


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
        metrics.REGISTERED.labels(event.procedure, event.complaint.channel).inc()
        if event.missing:
            metrics.INCOMPLETE.labels(event.procedure).inc()
    for result in results:
        if result.status == "duplicate":
            metrics.DUPLICATES.labels(via).inc()
        elif result.status == "refused":
            metrics.count_refused(via, result.reason)
