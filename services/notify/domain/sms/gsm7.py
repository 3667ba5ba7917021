"""The GSM 7-bit default alphabet with its extension table (3GPP TS 23.038, 6.2.1), and the packing of septets."""

from collections.abc import Iterable

_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPE = 0x1B
_EXTENSION = {"\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65}
_SEPTETS: dict[str, tuple[int, ...]] = {
    **{character: (code,) for code, character in enumerate(_ALPHABET) if code != _ESCAPE},
    **{character: (_ESCAPE, code) for character, code in _EXTENSION.items()},
}
_CHARACTERS = {code: character for code, character in enumerate(_ALPHABET) if code != _ESCAPE}
_EXTENDED = {code: character for character, code in _EXTENSION.items()}


def is_gsm7(text: str) -> bool:
    """Whether every character is in the alphabet or its extension; ç and Chinese are not."""
    return all(character in _SEPTETS for character in text)


def septets_of(character: str) -> tuple[int, ...]:
    """One septet, or two for a character of the extension table."""
    return _SEPTETS[character]


def encode_gsm7(text: str) -> bytes:
    """The septets of a text, one an octet, as SMPP carries them. Raises `KeyError` for another character."""
    return bytes(septet for character in text for septet in _SEPTETS[character])


def decode_gsm7(septets: Iterable[int]) -> str:
    """The text of septets; an unknown extension is a space, as 3GPP TS 23.038 requires."""
    text, escaped = "", False
    for septet in septets:
        if escaped:
            text, escaped = text + _EXTENDED.get(septet, " "), False
        elif septet == _ESCAPE:
            escaped = True
        else:
            text += _CHARACTERS.get(septet, " ")
    return text


def pack_septets(septets: bytes, header_length: int = 0) -> bytes:
    """Eight septets in seven octets; after a header of so many octets the text starts at a whole septet (3GPP TS 23.040, 9.2.3.24)."""
    fill_bits = -(header_length * 8) % 7
    accumulator, bits, packed = 0, fill_bits, bytearray()
    for septet in septets:
        accumulator |= septet << bits
        bits += 7
        while bits >= 8:  # noqa: PLR2004 - an octet
            packed.append(accumulator & 0xFF)
            accumulator >>= 8
            bits -= 8
    if bits:
        packed.append(accumulator & 0xFF)
    return bytes(packed)
