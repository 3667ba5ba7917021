"""Composes a mail: headers, the text, and its HTML twin."""

from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr

import idna

from services.notify.domain.mail.layout import MailLayout
from services.notify.providers.provider import OutgoingMessage
from shared.contracts.mail import references as mail_references

# For servers without 8BITMIME, and because a relay that wraps long lines would break the signature.
_ENCODING = "base64"


@dataclass(frozen=True, slots=True)
class MailSender:
    """The sender: the address of the envelope and of From, its domain in ASCII, and the display name."""

    address: str
    domain: str
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> "MailSender":
        """The sender in `name <address>` or `address`; the domain by IDNA 2008. Raises `ValueError` for a domain that is none."""
        name, address = parseaddr(text)
        local_part, _, domain = address.rpartition("@")
        try:
            # RFC 5895: lower case before IDNA 2008, which has no capitals.
            ascii_domain = domain if domain.isascii() else idna.encode(domain.lower()).decode("ascii")
        except idna.IDNAError as error:
            raise ValueError("smtp_sender: the domain of the address is not valid; write name <address@domain>") from error
        if not local_part or not ascii_domain:
            raise ValueError("smtp_sender: must be an address; write name <address@domain>")
        return cls(f"{local_part}@{ascii_domain}", ascii_domain, name)

    @property
    def header(self) -> Address:
        """The value of From."""
        local_part, _, domain = self.address.rpartition("@")
        return Address(self.name, local_part, domain)


@dataclass(frozen=True, slots=True)
class MailReferences:
    """The key of references in mails, by which intake recognises replies and reports, and the address for replies (empty: none)."""

    key: bytes = field(repr=False)
    reply_address: str = ""


def needs_smtputf8(*addresses: str) -> bool:
    """Whether every server on the way must support SMTPUTF8 (RFC 6531): a local part beyond ASCII has no other form."""
    return not all(address.isascii() for address in addresses)


def compose(
    message: OutgoingMessage, sender: MailSender, now: datetime, layout: MailLayout | None = None, references: MailReferences | None = None
) -> EmailMessage:
    """The mail: its text, and beside it the same in HTML if there is a layout. Raises `ValueError` for a line break in a header."""
    mail = EmailMessage(policy=SMTPUTF8 if needs_smtputf8(message.address, sender.address) else SMTP)
    mail["From"] = sender.header
    mail["To"] = message.address
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(now)
    _add_references(mail, message, sender, references)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic reply
    mail.set_content(message.text, cte=_ENCODING)
    if layout is not None:
        # RFC 2046, 5.1.4: the plainest alternative first, the preferred one last.
        mail.add_alternative(layout.render(message.subject, message.text, message.language), subtype="html", cte=_ENCODING)
    if message.language:
        mail["Content-Language"] = message.language  # last: content headers that stand before would move into the first part
    return mail


def _add_references(mail: EmailMessage, message: OutgoingMessage, sender: MailSender, references: MailReferences | None) -> None:
    if references is None:
        mail["Message-ID"] = f"<{message.idempotency_key}@{sender.domain}>"
        return
    mail["Message-ID"] = mail_references.message_id(references.key, message.idempotency_key, message.case, sender.domain)
    if reply_to := mail_references.reply_address(references.key, references.reply_address, message.case):
        mail["Reply-To"] = reply_to
