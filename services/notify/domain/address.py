"""Normalizes e-mail addresses and phone numbers; None for a text that is neither."""

import re

from shared.contracts.contact_forms import read_mobile

_MAX_LENGTH = 254
"""RFC 5321, 4.5.3.1.3: a path has at most 256 characters, two of which are the angle brackets."""
_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?P<domain>[^@\s]+)")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def normalize_email(text: str) -> str | None:
    """The address with its domain in ASCII (`a@例子.cn` becomes `a@xn--…`); None for an invalid one.

    A local part beyond ASCII is invalid: mail to it would need SMTPUTF8 (RFC 6531) on every server on its way.
    """
    match = _EMAIL.fullmatch(text.strip())
    if match is None:
        return None
    try:
        domain = match["domain"].encode("idna").decode()
    except UnicodeError:
        return None
    address = f"{text.strip().partition('@')[0]}@{domain}"
    is_valid = len(address) <= _MAX_LENGTH and all(_LABEL.fullmatch(label) for label in domain.split("."))
    return address if is_valid else None


def normalize_phone(text: str, region: str) -> str | None:
    """The first number in the text that exists and takes text messages, as E.164 (+8613800000000); None without one.

    `region` (ISO 3166) is that of numbers without a country code.
    """
    return read_mobile(text, region)
