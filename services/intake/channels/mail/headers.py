"""Reads header fields as mail programs really write them: encoded words cut inside a character, bytes without a charset."""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parseaddr, parsedate_to_datetime

from services.intake.channels.mail.charsets import decode_text

_ENCODED_WORD = re.compile(r"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?\r\n]{0,2000})\?=")
# The look-behind keeps a run of blanks without a line break linear.
_FOLD = re.compile(r"(?<!\s)\s*[\r\n]+\s*")
_ADDRESS = re.compile(r"[^\s<>\"(),;:]{1,200}[@＠][^\s<>\"(),;:]{1,300}")
_MAX_ADDRESSES = 50
_MAX_ADDRESS_FIELD = 2_000


def decoded(value: str) -> str:
    """The text of a header field: unfolded, encoded words (RFC 2047) and raw bytes decoded."""
    value = _FOLD.sub(" ", _with_raw_bytes_decoded(value))
    parts: list[str] = []
    end = 0
    for label, data, span in _encoded_runs(value):
        between = value[end : span[0]]
        parts += [between, decode_text(data, label)[0]]
        end = span[1]
    return "".join([*parts, value[end:]]).strip()


def _encoded_runs(value: str) -> Iterator[tuple[str, bytes, tuple[int, int]]]:
    """Label, bytes and place of each run of encoded words; words that follow each other in one charset are one run.

    RFC 2047 forbids a character that is divided between words, and many programs write it.
    """
    run: tuple[str, bytes, tuple[int, int]] | None = None
    for match in _ENCODED_WORD.finditer(value):
        label, data = match[1].lower(), _word_bytes(match[2], match[3])
        if run is not None and not value[run[2][1] : match.start()].strip():
            if run[0] == label:
                run = (label, run[1] + data, (run[2][0], match.end()))
                continue
            # White space between two encoded words is no text, whatever their charsets.
            yield run[0], run[1], (run[2][0], match.start())
        elif run is not None:
            yield run
        run = (label, data, match.span())
    if run is not None:
        yield run


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return quopri.decodestring(raw.replace(b"_", b"=20"))
    stripped = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    if len(stripped) % 4 == 1:  # a digit that is half of nothing
        stripped = stripped[:-1]
    try:
        return base64.b64decode(stripped + b"=" * (-len(stripped) % 4))
    except binascii.Error:
        return raw


def _with_raw_bytes_decoded(value: str) -> str:
    """The parser keeps bytes beyond ASCII as surrogates: they are UTF-8 (RFC 6532), or what the sender's system uses."""
    if value.isascii():
        return value
    return decode_text(value.encode("utf-8", "surrogateescape"), "")[0]


def read_sender(value: str) -> tuple[str, str]:
    """Display name and address of a field From, Reply-To or Sender; empty where there is none."""
    # The address is found before encoded words are decoded: a decoded name may contain any punctuation.
    value = _FOLD.sub(" ", _with_raw_bytes_decoded(value[:_MAX_ADDRESS_FIELD]))
    try:
        name, address = parseaddr(value)
    except RecursionError:  # a comment inside a comment is parsed by recursion
        name, address = "", ""
    if not _ADDRESS.fullmatch(address):
        matches = _ADDRESS.findall(value)
        address = matches[-1] if matches else ""
        name = value.partition("<")[0].strip(' "') if "<" in value else ""
    return decoded(name).strip(' "'), address


def addresses(values: list[str]) -> list[str]:
    """The addresses that occur in fields such as To, in order, at most 50."""
    result: list[str] = []
    for value in values:
        result += _ADDRESS.findall(value[: _MAX_ADDRESS_FIELD * 5])
    return result[:_MAX_ADDRESSES]


def read_date(value: str) -> datetime | None:
    """The instant of a date field (RFC 5322, 3.3), None for an unreadable one; without an offset it is UTC."""
    try:
        instant = parsedate_to_datetime(value.strip()[:200])
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    # The standard library raises each of these for some malformed date.
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
