"""Reads phone numbers, e-mail addresses and identity numbers as people write them, and gives their normal forms."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr

import idna
import phonenumbers
from phonenumbers import PhoneNumberType

# 13x, 15x (but 154) and 18x are valid throughout; phonenumbers takes some 40 times as long for them.
_MOBILE = re.compile(r"(?:\+?86|0086)?(1(?:[38]\d|5[0-35-9])\d{8})", re.ASCII)
_SEPARATORS = re.compile(r"[\s\-().]+")
_OTHER_NUMBER = re.compile(r"[/、,，;；|]|\bor\b|或|和")
# phonenumbers knows ext., x and # as marks of an extension, but neither 转 nor a bare hyphen.
_EXTENSION_MARK = re.compile(r"转|轉|分机|分機|内线|;ext=|ext\.?|x|#", re.IGNORECASE)
_EXTENSION = re.compile(r"(.*?\d[\s)]*)[x-]\s*(\d{1,7})", re.ASCII)
_WORDS = re.compile(r"[^\d\s+().\-x]+", re.ASCII)
_NO_NUMBER = re.compile(r"[^\d\s+().\-]", re.ASCII)
_LOCAL_PART = re.compile(r"[^\s@<>\"(),:;\\[\]]{1,64}")
_MAX_ADDRESS_LENGTH = 254
# In North America the two cannot be told apart; a pager and a personal number forward to a handset.
_TAKES_TEXT_MESSAGES = frozenset(
    {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.PERSONAL_NUMBER, PhoneNumberType.PAGER}
)
_ID_SEPARATORS = re.compile(r"[\s\-.\u2010-\u2015\u2212]+")


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A valid number in E.164 form, its extension, and whether the text contains more than it, e.g. a second number."""

    e164: str
    extension: str = ""
    has_more: bool = False

    @property
    def normal_form(self) -> str:
        """The number with its extension: behind one switchboard are many people (RFC 3966, section 5.3)."""
        return f"{self.e164};ext={self.extension}" if self.extension else self.e164


def read_phone(raw_phone: str, region: str) -> PhoneNumber | None:
    """The first valid number in a text; `region` (ISO 3166) applies to numbers without a country code."""
    text = _EXTENSION_MARK.sub("x", _visible(raw_phone))
    for candidate in _candidates(text):
        base, extension = _split_extension(candidate, region)
        if e164 := _valid_e164(base, region):
            return PhoneNumber(e164, extension, candidate != text)
    return None


def read_mobile(raw_phone: str, region: str) -> str | None:
    """The first number in a text that takes text messages, as E.164; None if it has none, such as a fixed line alone."""
    text = _EXTENSION_MARK.sub("x", _visible(raw_phone))
    for candidate in _candidates(text):
        e164 = _valid_e164(_split_extension(candidate, region)[0], region)
        if e164 and (_MOBILE.fullmatch(e164) or phonenumbers.number_type(phonenumbers.parse(e164)) in _TAKES_TEXT_MESSAGES):
            return e164
    return None


def read_email(raw_email: str) -> str | None:
    """The address without display name, in lower case, its domain in ASCII by IDNA 2008; None if it is not an address."""
    address = email_as_written(raw_email)
    # Lower case again: the domain is in lower case, and no provider tells Wang@ from wang@ although RFC 5321 allows it.
    return address.lower() if address else None


def email_as_written(raw_email: str) -> str | None:
    """The address as `read_email` gives it, its local part with the capitals that were written, as mail is sent to it."""
    _, address = parseaddr(_visible(raw_email))
    local_part, _, domain = address.rpartition("@")
    # NFKC, lower case and the full stop are what RFC 5895 does before IDNA 2008, which keeps ß; IDNA 2003 would send it to strasse.de.
    domain = domain.lower().replace("。", ".")
    if _LOCAL_PART.fullmatch(local_part) is None or "." not in domain:
        return None
    try:
        ascii_domain = idna.encode(domain).decode("ascii")
    except idna.IDNAError:
        return None
    normal_form = f"{local_part}@{ascii_domain}"
    return normal_form if len(normal_form) <= _MAX_ADDRESS_LENGTH else None


def normal_id_number(raw_number: str) -> str:
    """The number of an identity document without separators, in upper case: the last place of a Chinese one may be x or X."""
    return _ID_SEPARATORS.sub("", _visible(raw_number)).upper()


def _visible(text: str) -> str:
    """The text in NFKC without format characters, such as the zero-width spaces that are copied along from web pages."""
    return "".join(each for each in unicodedata.normalize("NFKC", text) if unicodedata.category(each) != "Cf").strip()


def _candidates(text: str) -> Iterator[str]:
    """The whole text, then its parts in order: between marks of a further number, without words, between spaces."""
    yield text
    for part in _OTHER_NUMBER.split(text):
        yield part.strip()
        for digits in _WORDS.split(part):
            yield digits.strip()
            yield from digits.split()


def _split_extension(text: str, region: str) -> tuple[str, str]:
    """Number and extension; a number with hyphens is valid as a whole and has none."""
    match = _EXTENSION.fullmatch(text)
    if match is None or _valid_e164(text, region):
        return text, ""
    return match[1], match[2]


def _valid_e164(text: str, region: str) -> str | None:
    if region == "CN" and (mobile := _MOBILE.fullmatch(_SEPARATORS.sub("", text))):
        return f"+86{mobile[1]}"
    if _NO_NUMBER.search(text):  # phonenumbers reads letters as digits of a keypad
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
