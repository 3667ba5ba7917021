"""Consumes submissions from Kafka in batches; each batch is one transaction."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from services.intake import metrics
from services.intake.application.parts import IntakeParts
from services.intake.application.raw_copies import RawSubmission
from services.intake.application.registration_result import PendingRegistration, RegistrationResult, refused_submission
from services.intake.application.submission_copies import VIA_KAFKA, SubmissionOrigin, submission_copy
from services.intake.channels.json_document import parse_json
from services.intake.storage import refusals
from shared.contracts import topics
from shared.runtime.database.database import Transaction
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.process import metrics as runtime_metrics
from shared.runtime.service import Service

SUBMISSION_TYPE = "submission"


class SubmissionBody(BaseModel):
    """A record's body: any JSON value, which is validated later so that a refusal is stored rather than dead-lettered."""

    value: Any

    @property
    def source(self) -> str | None:
        """The source named in the body, None without one."""
        source = self.value.get("source") if isinstance(self.value, dict) else None
        return source if isinstance(source, str) else None


def decode(event_type: str, body: bytes) -> SubmissionBody:
    """The body of a record of type `submission`; raises Rejected for another type, `MalformedJsonError` for a body that is not JSON."""
    if event_type != SUBMISSION_TYPE:
        # Not parked: later submissions under the same key are complaints of their own.
        raise Rejected(f"header ce_type is not {SUBMISSION_TYPE}", park=False)
    return SubmissionBody.model_construct(value=parse_json(body))


def register(service: Service, parts: IntakeParts) -> None:
    """Subscribe intake to submissions: valid ones are registered, refused ones stored, those of unknown sources become dead letters."""
    sources, keeps_accepted = parts.sources, VIA_KAFKA in parts.settings.raw_keep

    def read(record: ReceivedRecord) -> PendingRegistration | RegistrationResult:
        context = sources.by_record(record)
        reading = parts.reader.read(
            record.event.value, context, traceparent=record.traceparent, record_id=str(record.id), accepted_at=record.recorded_at
        )
        if keeps_accepted and isinstance(reading, PendingRegistration):
            return replace(reading, copy=_copy(record, context.source.id))
        return reading

    async def submissions(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        results = [(record, read(record)) for record in batch]
        pending = [result for _, result in results if isinstance(result, PendingRegistration)]
        registered = await parts.registration.register_batch(tx, pending, VIA_KAFKA)
        if any(result.reason == "reference_reused" for result in registered):
            # Nobody waits for an answer on Kafka: the text is kept in a dead letter. The runtime finds the record by smaller batches.
            raise Rejected("key_reused: another text under a known external_id; send a new external_id", park=False)
        refused = [
            (record, sources.by_record(record).source.id, result) for record, result in results if isinstance(result, RegistrationResult)
        ]
        rows = [refused_submission(result, VIA_KAFKA, source, record.key) for record, source, result in refused]
        await refusals.insert_refusals(tx, rows)
        await parts.raw_copies.keep_all(tx, [_copy(record, source) for record, source, _ in refused])
        tx.after_commit(lambda: _count_batch(len(batch), [result for *_, result in refused]))

    runtime_metrics.initialise_senders([topics.COMPLAINT_SUBMISSIONS.name], sources.signing)
    service.subscribe([topics.COMPLAINT_SUBMISSIONS], group="intake", handler=submissions, decode=decode, verify=sources.verify_signature)


def _copy(record: ReceivedRecord, source: str) -> RawSubmission:
    origin = SubmissionOrigin(source, VIA_KAFKA, record.recorded_at, record_id=str(record.id))
    return submission_copy(origin, record.event.value, record.body)


def _count_batch(received: int, refused: Sequence[RegistrationResult]) -> None:
    metrics.RECEIVED.labels(VIA_KAFKA).inc(received)
    for result in refused:
        metrics.count_refused(VIA_KAFKA, result.reason)
