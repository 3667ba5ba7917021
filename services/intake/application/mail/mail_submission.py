"""The submission in a mail, read as every other submission is."""

from dataclasses import replace

from services.intake.application.mail.mailbox import ReadMail
from services.intake.application.registration_result import PendingRegistration, RegistrationResult
from services.intake.application.submission_reading import SubmissionReader
from shared.runtime.clock import Clock

_CHANNEL = "email"


def mail_submission(read: ReadMail, reader: SubmissionReader, clock: Clock) -> PendingRegistration | RegistrationResult:
    """The submission, or its refusal; its case follows from the digest of the mail, so that a replay finds the same case."""
    decision, context = read.decision, read.mail.mailbox.context
    received_at = min(clock.now(), clock.to_domain(decision.received_at or read.mail.envelope.arrived_at))
    document = {
        "received_at": received_at.isoformat(),
        "channel": _CHANNEL if context.allows_channel(_CHANNEL) else context.source.channels[0],
        "title": decision.title,
        "text": decision.text,
        "complainant": {"name": decision.sender_name, "email": decision.sender},
        "attachments": list(read.attachments),
    }
    result = reader.read(document, context, traceparent=read.traceparent, record_id=f"mail {decision.digest.hex()}")
    if isinstance(result, PendingRegistration):
        return replace(result, unreadable=(*result.unreadable, *decision.cut))
    return result
