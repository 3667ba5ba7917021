"""The records on mail-events: reports about messages of ours, and requests to acknowledge a mail."""

from dataclasses import dataclass
from uuid import uuid5

from services.intake.application.registration_result import PendingRegistration, RegistrationResult
from services.intake.channels.mail.decision import MailDecision
from services.intake.domain.submission import UUID_NAMESPACE
from shared.contracts import topics
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.events import encode_event
from shared.contracts.events.notifications import NotificationRequested
from shared.contracts.events.triage import Registered
from shared.contracts.mail.reports import MailReport
from shared.runtime.clock import Clock
from shared.runtime.encryption import EncryptionKeyRing

_COMPLAINANT = "complainant"


@dataclass(frozen=True, slots=True)
class MailRecords:
    """Makes the records; contact data is encrypted with the key ring."""

    key_ring: EncryptionKeyRing
    clock: Clock

    def report(self, decision: MailDecision) -> CloudEventRecord | None:
        """The report of a decision; None without one, and for a status other than delivered or failed."""
        if decision.report is None or decision.report[1] not in {"delivered", "failed"}:
            return None
        reference, status, code = decision.report
        report = MailReport(
            delivery=reference.delivery,
            status="failed" if status == "failed" else "delivered",
            code=code,
            case=reference.case,
            at=self.clock.now(),
        )
        return CloudEventRecord(
            topic=topics.MAIL_EVENTS.name,
            key=reference.case or reference.delivery,
            id=str(uuid5(UUID_NAMESPACE, f"mail report {decision.digest.hex()}")),
            type="mail_report",
            at=self.clock.now(),
            body=report.model_dump_json(exclude_none=True).encode(),
            source="intake",
        )

    def acknowledgement(self, submission: PendingRegistration, result: RegistrationResult) -> CloudEventRecord:
        """A notification request to notify: the complainant gets the number of his case, by the template for `registered`."""
        procedure = submission.context.bound_procedure.procedure
        contact = {"email": submission.submission.complainant.email, "name": submission.submission.complainant.name}
        event = NotificationRequested(
            case=result.case,
            at=self.clock.now(),
            procedure=procedure.id,
            version=procedure.version,
            rule="acknowledge_mail",
            notification=f"{result.case}-mail",
            recipients=[_COMPLAINANT],
            by=["email"],
            about=Registered.name,
            values={
                "number": result.number,
                "matter": submission.submission.title or "",
                "received_at": submission.submission.received_at.isoformat(),
            },
            contact=self.key_ring.encrypt({name: value for name, value in contact.items() if value}, result.case),
        )
        return CloudEventRecord(
            topic=topics.MAIL_EVENTS.name,
            key=result.case,
            id=str(uuid5(UUID_NAMESPACE, f"acknowledged {result.case}")),
            type=NotificationRequested.name,
            at=event.at,
            body=encode_event(event),
            source="intake",
            traceparent=submission.traceparent,
        )
