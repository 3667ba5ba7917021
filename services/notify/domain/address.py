"""Addresses in the one form that providers get, or nothing where a text is no address."""

import re

import phonenumbers

_LONGEST = 254
_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?P<domain>[^@\s]+)")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def normalize_email(text: str) -> str | None:
    """The address with its domain in ASCII (`a@例子.cn` becomes `a@xn--…`), None if it is none; a local part beyond ASCII is refused."""
    match = _EMAIL.fullmatch(text.strip())
    if match is None:
        return None
    try:
        domain = match["domain"].encode("idna").decode()
    except UnicodeError:
        return None
    address = f"{text.strip().partition('@')[0]}@{domain}"
    fits = len(address) <= _LONGEST and all(_LABEL.fullmatch(label) for label in domain.split("."))
    return address if fits else None


def normalize_phone(text: str, region: str) -> str | None:
    """The number as E.164 (+8613800000000), None if it cannot be one; `region` (ISO 3166) is where numbers without a country lie."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
