"""Shortens texts to a number of bytes without cutting a character."""

import unicodedata

_JOINER = "\u200d"


def shorten_to_bytes(text: str, longest: int) -> str:
    """The text, or as much of it as has at most `longest` bytes in UTF-8 with an ellipsis; accents and joined emoji stay whole."""
    content = text.encode()
    if len(content) <= longest:
        return text
    shortened = content[: longest - len("…".encode())].decode("utf-8", "ignore")
    # What follows the cut may belong to the last character: an accent, a skin tone, or the next of several joined emoji.
    while shortened and _continues(text[len(shortened)], shortened[-1]):
        shortened = shortened[:-1]
    return shortened.rstrip() + "…"


def _continues(following: str, last: str) -> bool:
    is_mark = bool(unicodedata.combining(following)) or unicodedata.category(following) in ("Mn", "Me", "Sk")
    return is_mark or _JOINER in (following, last)
