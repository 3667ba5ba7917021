"""Estimates the width of text in a picture and shortens what does not fit; SVG itself neither measures nor wraps."""

from __future__ import annotations

import re
from typing import Final
from unicodedata import east_asian_width

# Upper bounds over the fonts that browsers use for `sans-serif`: a label that fits by them fits in each of those fonts.
_WIDE: Final = 1.0
_BROAD: Final = 1.0
_CAPITAL: Final = 0.8
_NARROW: Final = 0.42
_OTHER: Final = 0.66
_BROAD_CHARACTERS: Final = frozenset("MWmw@%&—…‰")
_NARROW_CHARACTERS: Final = frozenset("iljtfI.,:;|!'()[] ")
_ELLIPSIS: Final = "…"
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean_text(text: str) -> str:
    """The text in one line, with U+FFFD for characters that XML does not allow."""
    return _NOT_IN_XML.sub("\ufffd", " ".join(text.split()))


def text_width(text: str, size: float) -> float:
    """An upper bound of the width of a text at a font size, in the unit of the size."""
    return sum(map(_character_width, text)) * size


def fit_text(text: str, size: float, width: float) -> str:
    """The text, shortened with an ellipsis where it is wider than `width`; empty where not even that fits."""
    if text_width(text, size) <= width:
        return text
    remaining = width - text_width(_ELLIPSIS, size)
    if remaining < 0:
        return ""
    kept = []
    for character in text:
        remaining -= _character_width(character) * size
        if remaining < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + _ELLIPSIS


def _character_width(character: str) -> float:
    if character in _BROAD_CHARACTERS:
        return _BROAD
    if character in _NARROW_CHARACTERS:
        return _NARROW
    if character.isascii():
        return _CAPITAL if character.isupper() else _OTHER
    # Ambiguous widths too: a Chinese font draws ■, × and Greek letters one em wide.
    return _OTHER if east_asian_width(character) in ("N", "H", "Na") else _WIDE
