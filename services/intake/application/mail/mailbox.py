"""A mail as a transport hands it over, and the mailbox that it came to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.intake.channels.mail.decision import Envelope, MailboxRules, MailDecision
from services.intake.domain.submission import SourceContext


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox with its source; `acknowledge`: intake acknowledges what it registers from it."""

    id: str
    context: SourceContext
    rules: MailboxRules
    acknowledge: bool = False


@dataclass(frozen=True, slots=True)
class IncomingMail:
    """The bytes of a mail; `uid_validity` and `uid` are those of an IMAP mailbox."""

    raw: bytes
    mailbox: Mailbox
    envelope: Envelope
    uid_validity: int | None = None
    uid: int | None = None


def envelope_headers(mail: IncomingMail) -> dict[str, str]:
    """The headers of a raw copy, for `envelope_of`."""
    envelope = mail.envelope
    return {
        "mailbox": mail.mailbox.id,
        "arrived_at": envelope.arrived_at.isoformat(),
        "sender": "" if envelope.sender is None else f"<{envelope.sender}>",
        "recipients": " ".join(envelope.recipients),
    }


def envelope_of(headers: Mapping[str, str]) -> Envelope:
    """The envelope that `envelope_headers` kept; an empty sender (a bounce) differs from none."""
    sender = headers["sender"]
    return Envelope(datetime.fromisoformat(headers["arrived_at"]), sender[1:-1] if sender else None, tuple(headers["recipients"].split()))


@dataclass(frozen=True, slots=True)
class ReadMail:
    """A mail with the decision about it; `attachments` are the names or references that its submission gets.

    `is_duplicate`: it was taken before, and its attachments are not stored again.
    """

    mail: IncomingMail
    decision: MailDecision
    attachments: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)
    traceparent: str | None = None
    is_duplicate: bool = False

    @property
    def identity(self) -> tuple[str, bytes]:
        """Source and digest: the same mail for a source is taken once."""
        return self.mail.mailbox.context.source.id, self.decision.digest


@dataclass(frozen=True, slots=True)
class MailResult:
    """The outcome of a mail, with the reason and its case, empty without one."""

    outcome: str
    reason: str
    case: str = ""
