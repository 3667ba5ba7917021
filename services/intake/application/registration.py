"""Register submissions: settle what comes again, give gapless numbers, seal contact data, tell triage. One transaction."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from services.intake import metrics
from services.intake.application.registration_result import PendingRegistration, RegistrationResult, refused_result
from services.intake.domain.submission import (
    UUID_NAMESPACE,
    SourceContext,
    UnnumberedRegistration,
    prepare_registration,
    receipt_time_fault,
    registered_event,
)
from services.intake.domain.submission_faults import SubmissionFault
from services.intake.storage import complaints, last_numbers
from services.intake.storage.complaints import ComplaintRow, RegisteredComplaint
from shared.contracts import topics
from shared.contracts.complaint import Submission
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.events import encode_event
from shared.contracts.events.triage import Registered
from shared.runtime.clock import Clock
from shared.runtime.database.database import Transaction
from shared.runtime.encryption import EncryptionKeyRing
from shared.runtime.outbox import outbox
from shared.runtime.process.scheduling import yield_every


class RegisterComplaints:
    """Enters submissions in the numbered books."""

    def __init__(self, sealing: EncryptionKeyRing, clock: Clock) -> None:
        self._sealing = sealing
        self._clock = clock

    def check_submission(self, submission: Submission, context: SourceContext) -> RegistrationResult | None:
        """What the source or the time of receipt forbids, None if nothing."""
        if submission.source not in (None, context.source.id):
            return refused_result("source", SubmissionFault("source", "not_yours", "leave it out, or send the id of the key's own source"))
        if not context.allows_channel(submission.channel):
            allowed = ", ".join(context.source.channels)
            return refused_result("channel", SubmissionFault("channel", "not_allowed", f"the source may submit on: {allowed}"))
        fault = receipt_time_fault(submission.received_at, self._clock.now())
        return None if fault is None else refused_result("implausible", fault)

    async def register_batch(self, tx: Transaction, pending: Sequence[PendingRegistration], via: str) -> list[RegistrationResult]:
        """Register those that are new, in order; one outcome each."""
        now = self._clock.now()
        drafts: dict[str, UnnumberedRegistration] = {}
        first: dict[str, PendingRegistration] = {}
        async for each in yield_every(pending):
            if each.case not in first:
                first[each.case] = each
                drafts[each.case] = prepare_registration(each.submission, each.context, each.case, now)
        books = await last_numbers.lock_last_numbers(tx, {made.series for made in drafts.values()})
        known = await complaints.find_registered(tx, drafts.keys())
        events = {case: self._numbered(made, books) async for case, made in yield_every(drafts.items()) if case not in known}
        await self._record(tx, events, first)
        await last_numbers.save_last_numbers(
            tx, {book: last for book, last in books.items() if any(drafts[c].series == book for c in events)}
        )
        outcomes = _results(pending, first, events, known)
        tx.after_commit(lambda: _count_results(outcomes, events, via))
        return outcomes

    def _numbered(self, made: UnnumberedRegistration, books: dict[Any, int]) -> Registered:
        books[made.series] += 1
        contact = None if made.contact is None else self._sealing.encrypt(made.contact, made.case)
        return registered_event(made, books[made.series], contact)

    async def _record(self, tx: Transaction, events: dict[str, Registered], first: dict[str, PendingRegistration]) -> None:
        bodies = {case: encode_event(event) for case, event in events.items()}
        await complaints.insert(tx, [_row(event, first[case], bodies[case]) for case, event in events.items()])
        await outbox.add(tx, (_message(event, first[case], bodies[case]) for case, event in events.items()))


def _results(
    incoming: Sequence[PendingRegistration],
    first: dict[str, PendingRegistration],
    events: dict[str, Registered],
    known: dict[str, RegisteredComplaint],
) -> list[RegistrationResult]:
    seen: set[str] = set()
    outcomes: list[RegistrationResult] = []
    for each in incoming:
        event, before = events.get(each.case), known.get(each.case)
        number = event.number if event else before.number if before else ""
        missing = tuple(event.missing) if event else before.missing if before else ()
        fingerprint = before.fingerprint if before else first[each.case].fingerprint
        if each.fingerprint_must_match and fingerprint != each.fingerprint:
            outcomes.append(
                refused_result("key_reused", SubmissionFault("Idempotency-Key", "used_before", "send a new key with a new complaint"))
            )
        else:
            new = event is not None and each.case not in seen
            outcomes.append(RegistrationResult("registered" if new else "duplicate", each.case, number, missing))
        seen.add(each.case)
    return outcomes


def _row(event: Registered, incoming: PendingRegistration, body: bytes) -> ComplaintRow:
    complaint = event.complaint
    return ComplaintRow(
        case_id=event.case,
        number=event.number,
        source=complaint.source,
        channel=complaint.channel,
        external_id=complaint.external_id,
        received_at=complaint.received_at,
        registered_at=complaint.registered_at,
        fingerprint=incoming.fingerprint,
        body=body.decode(),
    )


def _message(event: Registered, incoming: PendingRegistration, body: bytes) -> CloudEventRecord:
    return CloudEventRecord(
        topic=topics.COMPLAINT_EVENTS.name,
        key=event.case,
        id=str(registered_event_id(event.case)),
        type=event.type,
        at=event.at,
        body=body,
        source="intake",
        sequence=1,
        traceparent=incoming.traceparent,
    )


def registered_event_id(case: str) -> UUID:
    """The id of a case's registration: there is only one."""
    return uuid5(UUID_NAMESPACE, f"registered {case}")


def _count_results(outcomes: Sequence[RegistrationResult], events: dict[str, Registered], via: str) -> None:
    for event in events.values():
        metrics.REGISTERED.labels(event.procedure, event.complaint.channel).inc()
        if event.missing:
            metrics.INCOMPLETE.labels(event.procedure).inc()
    for outcome in outcomes:
        if outcome.status == "duplicate":
            metrics.DUPLICATES.labels(via).inc()
        elif outcome.status == "refused":
            metrics.count_refused(via, outcome.reason)
