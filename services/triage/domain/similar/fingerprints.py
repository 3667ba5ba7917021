"""Fingerprints of texts, to recognise the same event in other words: hashed n-grams, named places and the object.

The text itself cannot be read back from it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from zlib import crc32

from services.triage.domain.similar.places import Places, find_places

GRAM_BITS = 20
"""Bits of a hashed n-gram: about a million buckets, of which 100,000 texts use most."""
_LENGTHS = (2, 3, 4)
_MAX_TITLE, _MAX_TEXT = 100, 150
_TITLE_WEIGHT = 1.7
_NO_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A text as it is remembered; `grams` are sorted, those of the title twice as large plus one."""

    case: str
    received_at: datetime
    grams: tuple[int, ...]
    places: Places


def fingerprint(case: str, received_at: datetime, title: str, text: str, fields: tuple[str, str] = ("", "")) -> Fingerprint:
    """The fingerprint of a complaint's reading copy; `fields` are its place and its object."""
    head = text[: 4 * _MAX_TEXT]
    # Where it is, people say first; further on they name the office that did not help, and the place of a similar case.
    parts = (find_places(part, *fields) for part in (title, f"{title}\n{text[:60]}", f"{title}\n{text[:300]}"))
    places = next((places for places in parts if places.named), find_places("", *fields))
    in_title = hashed_grams(title[:_MAX_TITLE])
    in_text = hashed_grams(head, _MAX_TEXT).keys() - in_title.keys()
    grams = sorted(chain((2 * gram + 1 for gram in in_title), (2 * gram for gram in in_text)))
    return Fingerprint(case, received_at, tuple(grams), places)


def gram_weight(gram: int) -> float:
    """How much an n-gram of a fingerprint weighs beside its rarity: one of the title states more of the matter."""
    return _TITLE_WEIGHT if gram & 1 else 1.0


def hashed_grams(text: str, max_length: int = _MAX_TITLE) -> Mapping[int, str]:
    """The n-grams of a text by their hash; words apart, so that none spans a mark."""
    grams: dict[int, str] = {}
    letters = _NO_WORD.sub(" ", text.casefold()).strip()[:max_length]
    for length in _LENGTHS:
        for start in range(len(letters) - length + 1):
            gram = letters[start : start + length]
            if " " not in gram:
                # Python salts its own hashes: another process would not find what this one stored.
                grams.setdefault(crc32(gram.encode("utf-8", "replace")) >> (32 - GRAM_BITS), gram)
    return grams
