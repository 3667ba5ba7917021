"""Composes a mail: headers, the text, and its HTML twin.

Written out here, since `email.message.EmailMessage` parses and folds every header again, which takes seven times as long as all the rest.
"""

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime, parseaddr, quote

import idna

from services.notify.domain.mail.layout import MailLayout
from services.notify.providers.provider import OutgoingMessage
from shared.contracts.mail import references as mail_references

_WORD_CHARACTERS = 9
"""Characters of an encoded word: with four bytes each and the header's name, the line is below 76."""
_BOUNDARY = "=_alternative"
"""Base64 has no underscore, so no part contains it. Always the same: readers in Python compile an expression for each new one."""
_LINE_BREAK = re.compile(r"[\r\n]")


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
    def header(self) -> str:
        """The value of From."""
        if not self.name:
            return self.address
        phrase = f'"{quote(self.name)}"' if self.name.isascii() else _header_text(self.name)
        return f"{phrase} <{self.address}>"


@dataclass(frozen=True, slots=True)
class MailReferences:
    """The key of references in mails, by which intake recognises replies and reports, and the address for replies (empty: none)."""

    key: bytes = field(repr=False)
    reply_address: str = ""


@dataclass(frozen=True, slots=True)
class ComposedMail:
    """A mail as it is sent."""

    message_id: str
    content: bytes


def needs_smtputf8(*addresses: str) -> bool:
    """Whether every server on the way must support SMTPUTF8 (RFC 6531): a local part beyond ASCII has no other form."""
    return not all(address.isascii() for address in addresses)


def compose(
    message: OutgoingMessage, sender: MailSender, now: datetime, layout: MailLayout | None = None, references: MailReferences | None = None
) -> ComposedMail:
    """The mail: its text, and beside it the same in HTML if there is a layout. Raises `ValueError` for a line break in a header."""
    if _LINE_BREAK.search(f"{message.address}{message.subject}{message.idempotency_key}"):
        raise ValueError("a header has a line break")
    identification = _identification(message, sender, references)
    headers = {
        "From": sender.header,
        "To": message.address,
        "Subject": _header_text(message.subject),
        "Date": format_datetime(now),
        **identification,
        "Auto-Submitted": "auto-generated",  # RFC 3834: no automatic reply
        "MIME-Version": "1.0",
        **({"Content-Language": message.language} if message.language else {}),
    }
    body = _text_part("plain", message.text)
    if layout is not None:
        # RFC 2046, 5.1.4: the plainest alternative first, the preferred one last.
        body = _alternatives(body, _text_part("html", layout.render(message.subject, message.text, message.language)))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return ComposedMail(identification["Message-ID"], head.encode() + body)


def _identification(message: OutgoingMessage, sender: MailSender, references: MailReferences | None) -> dict[str, str]:
    if references is None:
        return {"Message-ID": f"<{message.idempotency_key}@{sender.domain}>"}
    message_id = mail_references.message_id(references.key, message.idempotency_key, message.case, sender.domain)
    reply_to = mail_references.reply_address(references.key, references.reply_address, message.case)
    return {"Message-ID": message_id, **({"Reply-To": reply_to} if reply_to else {})}


def _header_text(text: str) -> str:
    """The text as encoded words (RFC 2047) if it needs them."""
    if text.isascii() and "=?" not in text:
        return text
    pieces = (text[first : first + _WORD_CHARACTERS] for first in range(0, len(text), _WORD_CHARACTERS))
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(piece.encode()).decode()}?=" for piece in pieces)


def _text_part(subtype: str, text: str) -> bytes:
    # Base64: for servers without 8BITMIME, and because a relay that wraps long lines would break the signature.
    lines = b"".join(line + b"\r\n" for line in text.encode().splitlines())
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    return head.encode() + base64.encodebytes(lines).replace(b"\n", b"\r\n")


def _alternatives(*parts: bytes) -> bytes:
    head = f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"\r\n\r\n'
    return head.encode() + b"".join(f"--{_BOUNDARY}\r\n".encode() + part for part in parts) + f"--{_BOUNDARY}--\r\n".encode()
