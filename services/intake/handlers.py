"""The Kafka edge: submissions of contact centres in, a batch a transaction."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from pydantic import BaseModel

from services.intake import metrics
from services.intake.application.registration import RegisterComplaints
from services.intake.application.registration_result import (
    PendingRegistration,
    RegistrationResult,
    refused_result,
    refused_submission,
)
from services.intake.application.sources import Sources
from services.intake.channels import READERS
from services.intake.channels.json_document import parse_json
from services.intake.domain.submission import case_id
from services.intake.storage import refusals
from shared.contracts import topics
from shared.runtime.database.database import Transaction
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.process.scheduling import yield_every
from shared.runtime.service import Service

SUBMISSION_TYPE = "submission"
VIA_KAFKA = "kafka"


class SubmissionBody(BaseModel):
    """A record's body as JSON; whether it is a complaint is found out by the channel."""

    value: Any

    @property
    def source(self) -> str | None:
        """The source that the body names."""
        named = self.value.get("source") if isinstance(self.value, dict) else None
        return named if isinstance(named, str) else None


def decode(event_type: str, body: bytes) -> SubmissionBody:
    """Any JSON under the type `submission`. Raises Rejected, or `MalformedError`."""
    if event_type != SUBMISSION_TYPE:
        raise Rejected(f"header ce_type is not {SUBMISSION_TYPE}", park=False)
    return SubmissionBody.model_construct(value=parse_json(body))


def register(service: Service, sources: Sources, registration: RegisterComplaints, max_bytes: int) -> None:
    """Feed submissions to the register; who names no known source is a dead letter, who lacks text or time is refused."""

    async def submissions(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        read = [_validate_record(received, sources, registration, max_bytes) async for received in yield_every(batch)]
        await registration.register_batch(tx, [each for each in read if isinstance(each, PendingRegistration)], VIA_KAFKA)
        refused = [(received, each) for received, each in zip(batch, read, strict=True) if isinstance(each, RegistrationResult)]
        await refusals.insert_refusals(
            tx, [refused_submission(each, VIA_KAFKA, _source(received), received.key) for received, each in refused]
        )
        tx.after_commit(lambda: _count_batch(len(batch), [each for _, each in refused]))

    service.subscribe([topics.COMPLAINT_SUBMISSIONS], group="intake", handler=submissions, decode=decode, verify=sources.verify_signature)


def _validate_record(
    received: ReceivedRecord, sources: Sources, books: RegisterComplaints, largest: int
) -> PendingRegistration | RegistrationResult:
    if len(received.body) > largest:
        return refused_result("too_large")
    office = sources.by_record(received)
    reading = READERS["json"](received.event.value)
    if reading.submission is None:
        missing = any(fault.rule == "missing" for fault in reading.faults)
        return refused_result("missing" if missing else "invalid", *reading.faults)
    submission = reading.submission
    forbidden = books.check_submission(submission, office)
    if forbidden is not None:
        return forbidden
    # Without a reference of the source's own, the record's id at least makes a repeated record the same case.
    reference = submission.external_id or f"record {received.id}"
    case = case_id(office.source.id, submission.channel, reference)
    return PendingRegistration(submission, office, case, sha256(received.body).digest(), received.traceparent)


def _source(received: ReceivedRecord) -> str:
    return received.source or received.event.source or ""


def _count_batch(received: int, refused: Sequence[RegistrationResult]) -> None:
    metrics.RECEIVED.labels(VIA_KAFKA).inc(received)
    for outcome in refused:
        metrics.count_refused(VIA_KAFKA, outcome.reason)
