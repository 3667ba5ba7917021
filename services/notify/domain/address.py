"""Normalizes e-mail addresses and phone numbers; None for a text that is neither."""

import re
import unicodedata

from shared.contracts.contact_forms import email_as_written, read_mobile, read_phone

# RFC 5322, 3.2.3 and RFC 6532: words of these characters, separated by single full stops.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u00a1-\U0010ffff]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_MAX_LOCAL_BYTES = 64
"""RFC 5321, 4.5.3.1.1; octets, so a local part beyond ASCII is shorter (RFC 6531, 3.1)."""


def normalize_email(text: str) -> str | None:
    """The address that mail is sent to, without display name, its domain in ASCII (`a@例子.cn` becomes `a@xn--…`); None for an invalid one.

    A local part beyond ASCII stays as it is; mail to it needs SMTPUTF8 (RFC 6531) of the server.
    """
    written = text.strip()
    if any(unicodedata.category(character) == "Cc" for character in written):
        return None  # a line break could begin another header
    address = email_as_written(written)
    if address is None:
        return None
    local_part = address.rpartition("@")[0]
    is_valid = _LOCAL_PART.fullmatch(local_part) and len(local_part.encode()) <= _MAX_LOCAL_BYTES
    return address if is_valid else None


def normalize_phone(text: str, region: str) -> str | None:
    """The first number in the text that is valid for text messages, as E.164 (+8613800000000); None without one.

    `region` (ISO 3166) is that of numbers without a country code.
    """
    return read_mobile(text, region)


def normalize_dialled(text: str, region: str) -> str | None:
    """The number that a call-out dials, as E.164, behind a switchboard with its extension (`+86…;ext=801`); None without a valid one."""
    number = read_phone(text, region)
    return number.normal_form if number else None


def normalize(channel: str, text: str, region: str) -> str | None:
    """The address in the form of the channel; None for a text that is no address there."""
    match channel:
        case "email":
            return normalize_email(text)
        case "voice":
            return normalize_dialled(text, region)
    return normalize_phone(text, region)
