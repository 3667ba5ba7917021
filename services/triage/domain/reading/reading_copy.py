"""One form for every text that rules read: the same words in other characters, markup or line breaks are the same text.

The original stays as it came: the reading copy is computed once for a complaint, kept as long as its decision, and stored nowhere.
"""

import re
import unicodedata
from functools import cache
from itertools import pairwise
from typing import Any

import opencc

from services.triage.domain.reading.numerals import numerals_to_digits
from shared.contracts.complaint import Complaint
from shared.contracts.events.found_fact import FoundFact
from shared.contracts.html_text import html_to_text

# Unicode's Default_Ignorable_Code_Point: zero-width and bidi marks, soft hyphens, variation selectors, fillers.
_IGNORABLE_CHARACTERS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_IGNORABLE = re.compile(f"[{_IGNORABLE_CHARACTERS}]")
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n")
# From the radicals on without Korean, which is written with spaces.
_FIRST_CJK, _HANGUL = "\u2e80", ("\uac00", "\ud7af")
_NUMERAL_CHARACTERS = re.compile("[零〇一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟]")
_LINE_BREAKS = re.compile("\r\n?|[\u0085\u2028\u2029\x0b\x0c]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
# What the three above replace; most texts hold none of it, and one search says so.
_UNUSUAL = re.compile(f"[{_IGNORABLE_CHARACTERS}\r\u0085\u2028\u2029\x0b\x0c\x00-\x08\x0e-\x1f\x7f]")


def read_text(text: str) -> str:
    """The text in the form that rules are written for.

    HTML becomes text, compatibility characters their normal form (NFKC), traditional characters simplified ones, counting numerals digits;
    invisible characters and white space beside Chinese are dropped. A blank line stays as one line break: it separates sentences.
    """
    text = html_to_text(text)
    if text.isascii():
        return _without_spaces(text)
    if _UNUSUAL.search(text) is None:
        text = _joined_lines(unicodedata.normalize("NFKC", text))
    else:
        text = _without_spaces(unicodedata.normalize("NFKC", _IGNORABLE.sub("", text)))
    simplified = traditional_to_simplified().convert(text)
    return numerals_to_digits(simplified) if _NUMERAL_CHARACTERS.search(simplified) else simplified


def _without_spaces(text: str) -> str:
    return _joined_lines(_CONTROLS.sub("", _LINE_BREAKS.sub("\n", text)))


def _joined_lines(text: str) -> str:
    # A mail program breaks lines anywhere, also inside a word; only a blank line is the writer's own.
    paragraphs = _BLANK_LINES.split(text) if "\n" in text else [text]
    return "\n".join(filter(None, map(_join_words, paragraphs)))


def _join_words(text: str) -> str:
    # Split and joined: a regular expression with look-behind takes four times as long as all other steps together.
    words = text.split()
    parts = words[:1]
    for word, following in pairwise(words):
        if not (_is_chinese(word[-1]) or _is_chinese(following[0])):
            parts.append(" ")
        parts.append(following)
    return "".join(parts)


def _is_chinese(character: str) -> bool:
    return character >= _FIRST_CJK and not _HANGUL[0] <= character <= _HANGUL[1]


@cache
def traditional_to_simplified() -> opencc.OpenCC:
    """OpenCC's tables."""
    # Loaded with the first text that needs it: 8 ms and 2.5 MB, which a process without complaints does not pay.
    return opencc.OpenCC("t2s")


class ReadingCopy:
    """The reading copies of a complaint's texts, each computed when a rule first reads it."""

    def __init__(self, complaint: Complaint) -> None:
        self._complaint = complaint
        self._texts: dict[str, str] = {}
        self.found_facts: dict[str, FoundFact] | None = None

    def field(self, name: str) -> str:
        """A text field of the complaint, or `identity`, the one of the complainant; empty if it has no text."""
        text = self._texts.get(name)
        if text is None:
            source = self._complaint.complainant if name in ("identity", "enterprise") else self._complaint
            text = self._texts[name] = read_text(getattr(source, name) or "")
        return text

    def value(self, value: Any) -> Any:
        """A fact's value; texts in their reading form."""
        if not isinstance(value, str) or not value:
            return value
        key = f"={value}"
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = read_text(value)
        return text
