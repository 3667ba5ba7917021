"""Reads one submission, whether by HTTP or Kafka: bounds its size, validates it and derives its case id."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

from services.intake.application.entry_by_hand import entry_fault
from services.intake.application.registration_result import PendingRegistration, RegistrationResult, refused_result
from services.intake.channels import READERS
from services.intake.domain.submission import MAX_FUTURE, SourceContext, case_id, receipt_time_fault, without_future_instants
from services.intake.domain.submission_faults import SubmissionFault
from shared.contracts.attachments import AttachmentKeys
from shared.contracts.complaint import Submission
from shared.contracts.json_text import is_too_deep
from shared.runtime.clock import Clock, uuid7


class SubmissionReader:
    """Reads submissions of at most `max_bytes`, measured as compact JSON; `max_future` bounds what has happened.

    With `attachment_keys` a stored attachment counts only under the reference that intake signed.
    """

    def __init__(
        self, clock: Clock, max_bytes: int, max_future: timedelta = MAX_FUTURE, attachment_keys: AttachmentKeys | None = None
    ) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._max_future = max_future
        self._attachment_keys = attachment_keys

    def read(
        self,
        document: Any,
        context: SourceContext,
        *,
        traceparent: str | None,
        idempotency_key: str | None = None,
        record_id: str | None = None,
        accepted_at: datetime | None = None,
        unreadable: Sequence[str] = (),
    ) -> PendingRegistration | RegistrationResult:
        """The submission in a JSON value, which `channels.json_document` reads, or its refusal with the faults.

        A submission without `external_id` is recognised, if sent again, by the Idempotency-Key or the id of the Kafka record.
        `accepted_at` is the Kafka record's timestamp, so that a replay decides alike; without it the submission is accepted now.
        `unreadable` names the fields that the reader of the transport has kept out already.
        """
        accepted_at = accepted_at or self._clock.now()
        canonical = self._canonical(document)
        if isinstance(canonical, RegistrationResult):
            return canonical
        parsed = READERS["json"](document)
        if parsed.submission is None:
            return refused_result("missing" if any(fault.rule == "missing" for fault in parsed.faults) else "invalid", *parsed.faults)
        submission = _on_allowed_channel(parsed.submission, parsed.unreadable, context)
        if (refusal := self._refusal(submission, context, accepted_at)) is not None:
            return refusal
        submission, forged = self._without_forged_attachments(submission)
        submission, future = without_future_instants(submission, accepted_at, self._max_future)
        reference = _reference(submission, idempotency_key, record_id)
        return PendingRegistration(
            submission=submission,
            context=context,
            case=uuid7() if reference is None else case_id(context.source.id, submission.channel, reference),
            fingerprint=sha256(canonical).digest(),
            traceparent=traceparent,
            fingerprint_must_match=not submission.external_id and idempotency_key is not None,
            has_reference=bool(submission.external_id or idempotency_key),
            unreadable=(*unreadable, *parsed.unreadable, *forged, *future),
        )

    def _canonical(self, document: Any) -> bytes | RegistrationResult:
        """The document as compact JSON, or the refusal of one that cannot be written so or is too large."""
        if is_too_deep(document):
            return refused_result("invalid", SubmissionFault("body", "too_deep", "send a JSON object with the complaint's fields"))
        try:
            # Sorted: a resend with its fields in another order is the same submission.
            canonical = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:
            return refused_result("invalid", SubmissionFault("body", "number_out_of_range", "send integers within 64 bits"))
        # Measured here too, since a body may be a batch: each of its items has the limit of a single complaint.
        return canonical if len(canonical) <= self._max_bytes else refused_result("too_large", self._size_fault())

    def _refusal(self, submission: Submission, context: SourceContext, accepted_at: datetime) -> RegistrationResult | None:
        """The refusal of a valid submission that the source may not send, or that has an impossible time of receipt."""
        if submission.source not in (None, context.source.id):
            return refused_result("source", SubmissionFault("source", "not_yours", "leave it out, or send the id of the key's own source"))
        if not context.allows_channel(submission.channel):
            allowed = ", ".join(context.source.channels)
            return refused_result("channel", SubmissionFault("channel", "not_allowed", f"the source may submit on: {allowed}"))
        if (entry := entry_fault(submission, context.enterers)) is not None:
            return refused_result("channel" if entry.field == "channel" else "entered_by", entry)
        fault = receipt_time_fault(submission.received_at, accepted_at, self._max_future)
        return None if fault is None else refused_result("implausible", fault)

    def _without_forged_attachments(self, submission: Submission) -> tuple[Submission, tuple[str, ...]]:
        """The submission without references that intake did not sign: a digest alone could be that of another case's file."""
        forged = self._attachment_keys.invalid_references(submission.attachments) if self._attachment_keys else []
        if not forged:
            return submission, ()
        kept = [text for position, text in enumerate(submission.attachments) if position not in forged]
        return submission.model_copy(update={"attachments": kept}), ("attachments",)

    def _size_fault(self) -> SubmissionFault:
        return SubmissionFault("body", "too_large", f"send at most {self._max_bytes} bytes; attachments by reference")


def _on_allowed_channel(submission: Submission, unreadable: Sequence[str], context: SourceContext) -> Submission:
    """An unreadable channel refuses no submission: a source that is limited to channels then submits on its first one."""
    if "channel" in unreadable and context.source.channels:
        return submission.model_copy(update={"channel": context.source.channels[0]})
    return submission


def _reference(submission: Submission, idempotency_key: str | None, record_id: str | None) -> str | None:
    if submission.external_id:
        return submission.external_id
    if idempotency_key:
        return f"key {idempotency_key}"
    return f"record {record_id}" if record_id else None
