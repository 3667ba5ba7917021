"""Parses a mail into header fields and parts, with bounded work: the standard library's parser has input on which it takes hours."""

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import Compat32
from functools import cached_property
from typing import Any

from services.intake.channels.mail.charsets import decode_text

MAX_FIELD = 10_000
_MAX_CONTENT_FIELD = 2_000
_MAX_FIELDS = 500
_MAX_NESTED = 100
# Each line is compared with the boundary of every multipart around it.
_MAX_LINES_TIMES_NESTED = 10_000_000
_MAX_PARTS = 300


class UnreadableMailError(ValueError):
    """A mail whose structure is not read; the text names the rule, never content."""


class _BoundedPolicy(Compat32):
    """Cuts header fields: splitting the parameters of a long Content-Type takes time that grows with the square of its length."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse([sourcelines[0][:MAX_FIELD], *(line[:MAX_FIELD] for line in sourcelines[1:50])])
        return name, value[: _MAX_CONTENT_FIELD if name.lower().startswith("content-") else MAX_FIELD]


_POLICY = _BoundedPolicy()


@dataclass(frozen=True)
class ParsedMail:
    """A mail; `fields` are its header fields by lower-case name, undecoded, in the order of the mail."""

    root: Message

    @cached_property
    def fields(self) -> dict[str, list[str]]:
        """The header fields of the mail itself."""
        return header_fields(self.root)

    def field(self, name: str) -> str:
        """The first field of a name, undecoded; empty without one."""
        values = self.fields.get(name)
        return values[0] if values else ""


def parse_mail(raw: bytes) -> ParsedMail:
    """The mail in its bytes; raises `UnreadableMailError` for a structure that no mail program makes."""
    lowered = raw.lower()
    nested = lowered.count(b"boundary") + lowered.count(b"message/")
    if nested > _MAX_NESTED or nested * raw.count(b"\n") > _MAX_LINES_TIMES_NESTED:
        raise UnreadableMailError("too many parts inside each other")
    try:
        return ParsedMail(message_from_bytes(raw, policy=_POLICY))
    # With some invalid fields the standard library fails instead of noting a defect.
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise UnreadableMailError(f"not readable as a mail ({type(error).__name__})") from None


def header_fields(part: Message) -> dict[str, list[str]]:
    """The header fields of a part by lower-case name, at most 500."""
    fields: dict[str, list[str]] = {}
    for name, value in list(part.raw_items())[:_MAX_FIELDS]:
        fields.setdefault(name.lower(), []).append(str(value))
    return fields


def parts_of(part: Message) -> list[Message]:
    """The parts of a multipart, at most 300; empty for a single part."""
    payload: Any = part.get_payload()
    return [child for child in payload[:_MAX_PARTS] if isinstance(child, Message)] if isinstance(payload, list) else []


def walk(part: Message) -> Iterator[Message]:
    """The part and all parts below it, at most 300 on a level."""
    yield part
    for child in parts_of(part):
        yield from walk(child)


def parameter(part: Message, name: str, field: str = "content-type") -> str:
    """A parameter of a field, as text; empty where there is none or it cannot be read."""
    try:
        value: Any = part.get_param(name, "", field)
    # RFC 2231 numbers and charsets are taken as they come.
    except (ValueError, LookupError, TypeError):
        return ""
    if isinstance(value, tuple):
        charset, _, text = value
        return decode_text(str(text).encode("latin-1", "replace"), str(charset or ""))[0]
    return str(value or "")


def content_bytes(part: Message) -> bytes:
    """The decoded content of a single part; empty where its encoding cannot be read."""
    try:
        payload: Any = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AssertionError):
        return b""
    return payload if isinstance(payload, bytes) else b""
