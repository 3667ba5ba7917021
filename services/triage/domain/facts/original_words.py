"""Finds words of a reading copy in the text as it came."""

import re
import unicodedata

import opencc

_INVISIBLE = frozenset({"Cf", "Cc", "Mn"})
_NUMERALS = frozenset("0123456789零〇一二两三四五六七八九十百千万亿")
_TAG = re.compile(r"<[^<>]{0,300}>")


class OriginalText:
    """A text as it came, in a form in which words of its reading copy can be looked up.

    Width, traditional characters, blanks, markup and the form of numerals differ between the two, so that both are compared as marks: a
    mark for each run of numerals and for each other character.
    """

    def __init__(self, text: str, reading: str, convert: opencc.OpenCC) -> None:
        self._text = text
        self._marks, self._offsets = _marks(text, convert)
        self._reading, self._reading_offsets = _marks(reading, convert)

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """The span of the text that the span of the reading copy came from; None where the two differ too much to tell."""
        first = next((index for index, (_, stop) in enumerate(self._reading_offsets) if stop > start), len(self._reading_offsets))
        last = next(
            (index for index in range(first, len(self._reading_offsets)) if self._reading_offsets[index][0] >= end), len(self._reading)
        )
        words = self._reading[first:last]
        if not words:
            return None
        found = first if self._marks == self._reading else self._marks.find(words)
        if found < 0:
            return None
        return self._offsets[found][0], self._offsets[found + len(words) - 1][1]


def _marks(text: str, convert: opencc.OpenCC) -> tuple[str, list[tuple[int, int]]]:
    marks: list[str] = []
    offsets: list[tuple[int, int]] = []
    skipped = {index for tag in _TAG.finditer(text) for index in range(*tag.span())}
    for index, character in enumerate(text):
        if index in skipped:
            continue
        # Most characters are Chinese and have no other form under NFKC; asking for each takes half the time.
        normal_form = character if "\u4e00" <= character <= "\u9fff" else _shown(character)
        for normal in normal_form:
            is_numeral = normal in _NUMERALS
            if is_numeral and marks and marks[-1] == "#":
                offsets[-1] = (offsets[-1][0], index + 1)
                continue
            marks.append("#" if is_numeral else normal)
            offsets.append((index, index + 1))
    converted = convert.convert("".join(marks))
    # Where a phrase changes its length the marks stay as they came, and words in traditional characters are not found.
    return (converted if len(converted) == len(marks) else "".join(marks)), offsets


def _shown(character: str) -> str:
    """The character's normal form without white space and invisible marks."""
    normal_form = unicodedata.normalize("NFKC", character).casefold()
    return "".join(part for part in normal_form if not part.isspace() and unicodedata.category(part) not in _INVISIBLE)
