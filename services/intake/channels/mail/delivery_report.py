"""Reads delivery reports (RFC 3464): the message of ours that each is about, and whether it arrived."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from itertools import islice

from services.intake.channels.mail.message import ParsedMail, content_bytes, header_fields, parts_of, walk
from shared.contracts.mail.references import MessageReference, read_message_id

_STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")
_MESSAGE_ID = re.compile(rb"<[^<>\s]{1,300}>")
_MESSAGE_ID_LINE = re.compile(rb"(?im)^message-id[ \t]*:[ \t\r\n]*(<[^<>\s]{1,300}>)")
_MAX_RECIPIENTS = 100
_MAX_IDS = 50
_MAX_FIELD_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The contents of a report: `status` is `delivered`, `failed` or `undecided`, `code` the enhanced status code (RFC 3463)."""

    status: str
    code: str


def is_delivery_report(mail: ParsedMail) -> bool:
    """Whether the mail has a part message/delivery-status; many servers leave the report-type out."""
    if mail.root.get_content_maintype() != "multipart":
        return False
    return any(part.get_content_type() == "message/delivery-status" for part in islice(walk(mail.root), 20))


def read_delivery_report(mail: ParsedMail) -> DeliveryReport:
    """The report; where it is about several recipients, the worst: a message of ours has one, who may forward to several."""
    reports = [_recipient_report(fields) for fields in _recipients(mail)]
    for status in ("failed", "delivered"):
        for report in reports:
            if report.status == status:
                return report
    return reports[0] if reports else DeliveryReport("undecided", "")


def reported_message(mail: ParsedMail, key: bytes) -> MessageReference | None:
    """The message of ours that the report is about, proved by its Message-ID in the returned fields or in In-Reply-To."""
    for text in _message_ids(mail):
        if reference := read_message_id(key, text):
            return reference
    return None


def thread_references(mail: ParsedMail) -> list[str]:
    """The Message-IDs of In-Reply-To and References, the latest first, at most 50."""
    fields = [*mail.fields.get("in-reply-to", []), *reversed(mail.fields.get("references", []))]
    return [text.decode("ascii", "replace") for value in fields for text in reversed(_ids_in(value))][:_MAX_IDS]


def _ids_in(value: str) -> list[bytes]:
    return _MESSAGE_ID.findall(value.encode("ascii", "replace"))


def _message_ids(mail: ParsedMail) -> Iterator[str]:
    for part in islice(walk(mail.root), 1, 50):
        kind = part.get_content_type()
        if kind == "message/rfc822":
            yield from (str(child.get("message-id", "")) for child in parts_of(part)[:1])
        elif kind in {"text/rfc822-headers", "message/rfc822-headers"}:
            yield from (found.decode("ascii", "replace") for found in _MESSAGE_ID_LINE.findall(_raw(part)))
    yield from thread_references(mail)


def _raw(part: Message) -> bytes:
    children = parts_of(part)
    if not children:
        return content_bytes(part)[:_MAX_FIELD_BYTES]
    # Not by `as_bytes`, which folds the fields anew and refuses some. Behind a malformed line fields are content.
    fields = [f"{name}: {value}".encode("ascii", "replace") for name, value in children[0].raw_items()]
    return b"\n".join([*fields, b"", content_bytes(children[0])])[:_MAX_FIELD_BYTES]


def _recipients(mail: ParsedMail) -> Iterator[dict[str, list[str]]]:
    """The fields of each recipient; the first block is about the message."""
    for part in islice(walk(mail.root), 20):
        if part.get_content_type() == "message/delivery-status":
            for block in parts_of(part)[: _MAX_RECIPIENTS + 1]:
                fields = header_fields(block)
                if "action" in fields or "status" in fields:
                    yield fields


def _recipient_report(fields: dict[str, list[str]]) -> DeliveryReport:
    action = fields.get("action", [""])[0].strip().lower()
    match = _STATUS.match(fields.get("status", [""])[0])
    code = ".".join(match.groups()) if match else ""
    if code.startswith("5") and action in {"failed", ""}:
        return DeliveryReport("failed", code)
    # A report of class 4 settles nothing: another attempt may succeed, and a server that gives up sends one of class 5.
    if code.startswith("2") and action == "delivered":
        return DeliveryReport("delivered", code)
    return DeliveryReport("undecided", code)
