"""Reads a call as a submission of its source, by the code that reads those of HTTP."""

from dataclasses import dataclass
from hashlib import sha256

from services.intake.application.registration_result import PendingRegistration, RegistrationResult, refused_result
from services.intake.application.submission_reading import SubmissionReader
from services.intake.channels.webhooks.call_body import UnusableBodyError, WebhookReader
from services.intake.domain.submission import SourceContext


@dataclass(frozen=True, slots=True)
class WebhookSubmissions:
    """The calls of one source."""

    reader: SubmissionReader
    context: SourceContext
    webhook_reader: WebhookReader

    def read(self, body: bytes, traceparent: str | None = None) -> PendingRegistration | RegistrationResult | None:
        """The submission in a call or its refusal, None for a call that makes no case."""
        try:
            mapped = self.webhook_reader.document(body)
        except UnusableBodyError as error:
            return refused_result("mapping" if error.fault.rule == "mapping" else "malformed", error.fault)
        if mapped is None:
            return None
        if mapped.faults:
            return refused_result("invalid", *mapped.faults)
        # Systems call again until they get an answer: without a reference the same body is the same complaint.
        key = None if mapped.document.get("external_id") else f"webhook {sha256(body).hexdigest()}"
        return self.reader.read(mapped.document, self.context, traceparent=traceparent, idempotency_key=key, unreadable=mapped.unreadable)
