"""Builds mails as bytes, and reads the samples."""

import base64
from datetime import UTC, datetime
from pathlib import Path

from services.intake.channels.mail.decision import Envelope, MailboxRules
from shared.contracts import mail_references

SAMPLES = Path(__file__).parent / "samples"
MAIL_SECRET = "secret of the tests"
KEY = mail_references.mail_key(MAIL_SECRET)
ADDRESS = "tousu@jiesu.example"
RULES = MailboxRules(frozenset({ADDRESS}), frozenset({"mail.jiesu.example"}), frozenset({"forms@jiesu.example"}), KEY)
ARRIVED_AT = datetime(2026, 11, 9, 1, 4, tzinfo=UTC)
ENVELOPE = Envelope(ARRIVED_AT)
CASE = "0198a4c0-7b1e-7000-8000-00000000beef"
DELIVERY = "8b0b6a0e-5f6e-5d0f-9c3c-0a1b2c3d4e5f"
OUR_MESSAGE_ID = mail_references.message_id(KEY, DELIVERY, CASE, "jiesu.example")


def sample(name: str, message_id: str = "") -> bytes:
    """A sample; `message_id` replaces that of a message of ours which it names."""
    raw = next(SAMPLES.glob(f"{name}*.eml")).read_bytes()
    return raw.replace(b"<delivery-1@jiesu.example>", message_id.encode()) if message_id else raw


def mail(
    text: str = "3号楼电梯停运", *, subject: str = "电梯", sender: str = "wang@customer.example",
    message_id: str = "<m-1@customer.example>", to: str = ADDRESS, fields: tuple[str, ...] = (), html: bool = False,
) -> bytes:  # fmt: skip
    """A mail with one part in UTF-8; `fields` are further header fields."""
    encoded_subject = base64.b64encode(subject.encode()).decode()
    lines = [
        f"From: {sender}",
        f"To: {to}",
        f"Subject: =?utf-8?B?{encoded_subject}?=",
        "Date: Mon, 09 Nov 2026 09:00:00 +0800",
        *([f"Message-ID: {message_id}"] if message_id else []),
        *fields,
        "MIME-Version: 1.0",
        f"Content-Type: text/{'html' if html else 'plain'}; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        base64.encodebytes(text.encode()).decode(),
    ]
    return "\r\n".join("\r\n".join(lines).splitlines()).encode() + b"\r\n"


def multipart(kind: str, *parts: tuple[str, bytes], fields: tuple[str, ...] = ()) -> bytes:
    """A multipart mail of parts (content type and further fields, content)."""
    head = [
        "From: wang@customer.example", f"To: {ADDRESS}", "Subject: photo", "Date: Mon, 09 Nov 2026 09:00:00 +0800",
        "Message-ID: <m-2@customer.example>", *fields, "MIME-Version: 1.0", f"Content-Type: multipart/{kind}; boundary=b1",
    ]  # fmt: skip
    body = b"".join(b"\r\n--b1\r\nContent-Type: " + content_type.encode() + b"\r\n\r\n" + content for content_type, content in parts)
    return "\r\n".join([*head, ""]).encode() + b"\r\n" + body + b"\r\n--b1--\r\n"
