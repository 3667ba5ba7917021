"""Counts and cuts the parts of a text message, each of which the carrier charges; no character is cut in two."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from services.notify.domain.sms.gsm7 import encode_gsm7, is_gsm7, pack_septets, septets_of

Encoding = Literal["gsm7", "ucs2"]
ReferenceBits = Literal[8, 16]
MAX_PARTS = 255
"""The header counts parts in one octet."""
_SINGLE: dict[Encoding, int] = {"gsm7": 160, "ucs2": 70}
# 140 octets less a header of 6 (reference of 8 bits) or 7 (16 bits) octets, in septets or in units of two octets.
_PART: dict[tuple[Encoding, ReferenceBits], int] = {("gsm7", 8): 153, ("gsm7", 16): 152, ("ucs2", 8): 67, ("ucs2", 16): 66}


@dataclass(frozen=True, slots=True)
class PartCount:
    """The cost of a text: `units` are septets (gsm7) or units of 16 bits (ucs2)."""

    encoding: Encoding
    units: int
    parts: int


def encoding_of(text: str) -> Encoding:
    """GSM-7 where it has every character, since a part then holds more than twice as many."""
    return "gsm7" if is_gsm7(text) else "ucs2"


def count_parts(text: str, reference_bits: ReferenceBits = 8) -> PartCount:
    """The number of parts of a text, and its length."""
    encoding = encoding_of(text)
    return PartCount(encoding, sum(_units(character, encoding) for character in text), len(split_text(text, reference_bits)))


def split_text(text: str, reference_bits: ReferenceBits = 8) -> list[str]:
    """The texts of the parts; an escaped character and a surrogate pair stay whole, so a part may be one unit short."""
    encoding = encoding_of(text)
    if sum(_units(character, encoding) for character in text) <= _SINGLE[encoding]:
        return [text]
    return list(_cut(text, encoding, _PART[encoding, reference_bits]))


def encode_part(text: str, encoding: Encoding, *, packed: bool = False, header: bytes = b"") -> bytes:
    """Header and octets of one part: big-endian UTF-16 for `ucs2`, septets (one an octet, or packed) for `gsm7`."""
    if encoding == "ucs2":
        # Carriers name it UCS-2; handsets read UTF-16, so that a rare character such as 𠮷 is a pair of units.
        return header + text.encode("utf-16-be")
    septets = encode_gsm7(text)
    return header + (pack_septets(septets, len(header)) if packed else septets)


def concatenation_header(reference: int, total: int, number: int, bits: ReferenceBits) -> bytes:
    """The user data header of part `number` (from 1) of `total` (3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8)."""
    if bits == 8:  # noqa: PLR2004 - the bits of the reference
        return bytes((0x05, 0x00, 0x03, reference & 0xFF, total, number))
    return bytes((0x06, 0x08, 0x04, (reference >> 8) & 0xFF, reference & 0xFF, total, number))


def encode_parts(text: str, reference: int, bits: ReferenceBits, *, packed: bool = False) -> Sequence[bytes]:
    """The octets of every part; a text of one part has no header."""
    encoding, parts = encoding_of(text), split_text(text, bits)
    if len(parts) == 1:
        return [encode_part(text, encoding, packed=packed)]
    headers = (concatenation_header(reference, len(parts), number, bits) for number in range(1, len(parts) + 1))
    return [encode_part(part, encoding, packed=packed, header=header) for part, header in zip(parts, headers, strict=True)]


def _units(character: str, encoding: Encoding) -> int:
    if encoding == "gsm7":
        return len(septets_of(character))
    return 2 if ord(character) > 0xFFFF else 1  # noqa: PLR2004 - the basic plane


def _cut(text: str, encoding: Encoding, room: int) -> Iterator[str]:
    start = used = 0
    for position, character in enumerate(text):
        units = _units(character, encoding)
        if used + units > room:
            yield text[start:position]
            start, used = position, 0
        used += units
    yield text[start:]
