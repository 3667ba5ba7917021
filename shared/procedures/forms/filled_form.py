"""A filled form: texts only, in one language, ready for printing in any format."""

import re
from dataclasses import dataclass
from math import sqrt

from shared.procedures.model.procedure import LanguageCode

_UNBROKEN = re.compile(r"[\x21-\x7e]+")
_GREATEST_WORD, _GREATEST_LENGTH, _PADDING, _GROWTH = 24, 160, 4, 3
_MOST_PORTRAIT_COLUMNS = 6


def _text_width(text: str) -> int:
    """The width of a text in halves of a Chinese character."""
    return sum(1 if character.isascii() else 2 for character in text)


@dataclass(frozen=True, slots=True)
class FilledBox:
    """One possible value of a field, ticked if it is the field's value."""

    label: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class FilledField:
    """A field with its text, or with boxes, or with the references of photographs."""

    label: str
    text: str = ""
    boxes: tuple[FilledBox, ...] = ()
    photos: tuple[str, ...] = ()
    wide: bool = False
    lines: int = 1


@dataclass(frozen=True, slots=True)
class FilledTable:
    """A table with its heads and rows; empty rows are left to be written by hand."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def column_shares(self) -> tuple[float, ...]:
        """Each column's share of the width: its longest word, and more for longer texts, by their square root."""
        columns = [(head, *(row[index] for row in self.rows)) for index, head in enumerate(self.heads)]
        weights = [_column_weight(texts) for texts in columns]
        return tuple(weight / sum(weights) for weight in weights)


def _column_weight(texts: tuple[str, ...]) -> float:
    longest = max(map(_text_width, texts))
    words = [len(word) for text in texts for word in _UNBROKEN.findall(text)]
    # A number that wraps in the middle is misread; a text that fills a page must not squeeze the other columns.
    return min(max(words, default=0), _GREATEST_WORD) + _PADDING + _GROWTH * sqrt(min(longest, _GREATEST_LENGTH))


@dataclass(frozen=True, slots=True)
class FilledSignature:
    """A signature block; `name` and `at` are empty until an event signs it."""

    label: str
    name: str = ""
    role: str = ""
    act: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class FilledSection:
    """A part of a form."""

    title: str
    fields: tuple[FilledField, ...] = ()
    table: FilledTable | None = None
    signatures: tuple[FilledSignature, ...] = ()


@dataclass(frozen=True, slots=True)
class FilledForm:
    """A form of a case or of a period; `hash` is that of the signed version, empty for a working copy and a blank form."""

    id: str
    language: LanguageCode
    title: str
    organisation: str
    regulation: str
    code: str
    number: str
    state: str
    sections: tuple[FilledSection, ...]
    copies: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    hash: str = ""

    @property
    def is_landscape(self) -> bool:
        """Whether the paper lies on its side: a register has more columns than fit beside each other."""
        return any(section.table is not None and len(section.table.heads) > _MOST_PORTRAIT_COLUMNS for section in self.sections)
