"""Search keys of texts in Chinese and English: hashed n-grams, which narrow a search to few rows that are then compared as text.

A bigram of Chinese characters is about as selective as a word, and needs no dictionary: names of estates and people are in none.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from zlib import crc32

_RUN = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003ffff]+|[0-9a-zà-ɏͰ-ӿ]+")
_LATIN_GRAM = 3
OPEN_GRAM = -1
"""Stands beside the grams of an open case: negative, as no hash is."""
_FIRST_KEY_GRAM = 1_000_000
"""Months are above its negative."""
MAX_TEXT = 4000
"""Characters of a case that can be searched; texts of a complaint are seldom longer than 500."""


def normalise(text: str) -> str:
    """Text as it is stored and compared: full-width forms as plain ones, one case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def grams(normal_text: str) -> set[int]:
    """Hashed bigrams of Chinese characters and trigrams of other words; none of what is shorter."""
    return {_hash(run[start : start + size]) for run, size in _runs(normal_text) for start in range(len(run) - size + 1)}


def _runs(normal_text: str) -> Iterator[tuple[str, int]]:
    for match in _RUN.finditer(normal_text):
        run = match.group()
        yield run, _LATIN_GRAM if run[0] < "\u3400" else 2


def _hash(gram: str) -> int:
    # 31 bits: two grams that share a hash bring a row more to compare, and no wrong answer.
    return crc32(gram.encode()) & 0x7FFFFFFF


def month_gram(received_at: datetime) -> int:
    """The key of the month of receipt, by which ended cases are searched from the newest month backwards."""
    instant = received_at.astimezone(UTC)
    return -(instant.year * 12 + instant.month)


def key_gram(viewer_key: str) -> int:
    """The key of who sees a case: a common word is then looked up among the cases of a department, and not among all."""
    return -_FIRST_KEY_GRAM - (crc32(viewer_key.encode()) & 0x3FFFFFFF)


def text_grams(keys: Iterable[int]) -> set[int]:
    """Those of a case's keys that come from its text, which most events leave as it was: hashing it again took a tenth of a batch."""
    return {key for key in keys if key >= 0}


def row_grams(of_text: Iterable[int], received_at: datetime, seen_by: Iterable[str], *, is_open: bool) -> list[int]:
    """All keys of a case; `of_text` are the grams of its text."""
    return sorted({*of_text, month_gram(received_at), *map(key_gram, seen_by), *([OPEN_GRAM] if is_open else [])})


def query_words(text: str) -> list[str]:
    """The normalised words of a query, each of which a found case contains."""
    return normalise(text)[:200].split()


def query_grams(words: Iterable[str]) -> list[int]:
    """Keys that every found case has; empty for a query that is too short to be narrowed.

    Of each word those that cover it: the ones between narrow little, and the list of one may name every fifth case.
    """
    found: set[int] = set()
    for word in words:
        for run, size in _runs(word):
            last = len(run) - size
            found.update(_hash(run[start : start + size]) for start in (*range(0, last, size), *([last] if last >= 0 else ())))
    return sorted(found)
