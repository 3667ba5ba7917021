"""Hashes the n-grams of texts: characters, dictionary words and title characters, each a view of its own.

All steps work on the code points of a whole batch: a loop over characters in Python would take ten times the time.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

CHARACTERS, WORDS, TITLE = range(3)
VIEWS: Final = 3
MAX_CHARACTERS: Final = 4_000
"""Characters of one text that are read, so that the cost of one complaint is bounded; the measured histories lose nothing by it."""
LONGEST_WORD: Final = 4
"""Characters of the longest Chinese word; words of other scripts end at white space and punctuation."""

# A sum with distinct odd powers is a polynomial over 64 bits: windows of one length differ unless they collide by chance.
_PRIME: Final = 0x9E3779B97F4A7C15
_POWERS: Final = np.array([pow(_PRIME, exponent, 1 << 64) for exponent in range(1, 25)], np.uint64)
_MIX: Final = np.uint64(0xFF51AFD7ED558CCD)
_SALTS: Final = [np.uint64(number * _PRIME & 0xFFFFFFFFFFFFFFFF) for number in range(VIEWS * 8)]
_SALT_PAIR: Final = np.uint64(0xD6E8FEB86659FD93)
_FIRST_IDEOGRAPH, _LAST_IDEOGRAPH = 0x3400, 0x9FFF
# From accented Latin letters up to Greek, Cyrillic, Hebrew and Arabic; beyond, scripts write words in other ways.
_FIRST_LETTER, _LAST_LETTER = 0xC0, 0x6FF
_NO_LETTERS: Final = np.array([0xD7, 0xF7], np.uint32)  # × and ÷ stand among the Latin letters
BEGINNING: Final = 40
"""Characters of a text without a title that are read as its title: it names the matter there, 0.15 points of the surest 80 %."""
_SIGNS: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class NgramBatch:
    """The n-grams of a batch: `keys` are 64-bit hashes, `documents` the texts that they are in, in no particular order."""

    keys: NDArray[np.uint64]
    documents: NDArray[np.int32]
    size: int


@dataclass(frozen=True, slots=True)
class LocatedNgrams:
    """The n-grams of one text with their places: `views`, and `starts` and `ends` in the short account or the whole text."""

    keys: NDArray[np.uint64]
    views: NDArray[np.int8]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    title: str
    whole: str


def normalised_texts(title: str, text: str) -> tuple[str, str]:
    """The title and the whole text as they are read: in lower case and bounded; both are reading copies."""
    lower = title[:MAX_CHARACTERS].lower()
    return lower, f"{lower}\n{text[:MAX_CHARACTERS].lower()}"


def extract_ngrams(texts: Sequence[tuple[str, str]]) -> NgramBatch:
    """The n-grams of titles and texts; a text counts once for each place of an n-gram."""
    if len(texts) == 1:
        keys = _keys_of_one(*texts[0])
        return NgramBatch(keys, np.zeros(len(keys), np.int32), 1)
    windows = [window for _, _, window in windows_by_view(texts)]
    keys = np.concatenate([window.keys for window in windows])
    documents = np.concatenate([window.documents for window in windows])
    return NgramBatch(keys, documents, len(texts))


def windows_by_view(texts: Sequence[tuple[str, str]]) -> list[tuple[int, bool, "Windows"]]:
    """The n-grams by view; true for those that are words only if a dictionary has them."""
    wholes = _Codes([normalised_texts(title, text)[1] for title, text in texts])
    titles = _Codes([_short_account(title, text) for title, text in texts])
    letters = wholes.words_of_letters()
    return [
        *((CHARACTERS, False, windows) for windows in wholes.characters(CHARACTERS)),
        *((WORDS, True, windows) for windows in wholes.ideograph_windows()),
        *((WORDS, False, windows) for windows in (letters, _pairs(letters))),
        *((TITLE, False, windows) for windows in (titles.characters(TITLE) if titles is not None else ())),
    ]


def locate_ngrams(title: str, text: str) -> LocatedNgrams:
    """The n-grams of one text, each with its place."""
    windows = windows_by_view([(title, text)])
    whole = normalised_texts(title, text)[1]
    return LocatedNgrams(
        np.concatenate([of_view.keys for _, _, of_view in windows]),
        np.concatenate([np.full(len(of_view.keys), view, np.int8) for view, _, of_view in windows]),
        np.concatenate([of_view.starts for _, _, of_view in windows]).astype(np.int32),
        np.concatenate([of_view.ends for _, _, of_view in windows]).astype(np.int32),
        _short_account(title, text),
        whole,
    )


def _short_account(title: str, text: str) -> str:
    """The text of view `TITLE`: the title, or the beginning of a text without one."""
    return (title[:MAX_CHARACTERS] or text[:BEGINNING]).lower()


def _keys_of_one(title: str, text: str) -> NDArray[np.uint64]:
    """The keys of one text's n-grams: without places, and mixed in one pass, it costs two thirds of a batch of one."""
    whole, short = _Codes([normalised_texts(title, text)[1]]), _Codes([_short_account(title, text)])
    c = whole.codes
    inside = (c - np.uint32(_FIRST_IDEOGRAPH)) <= _LAST_IDEOGRAPH - _FIRST_IDEOGRAPH
    parts = [codes.sums(length) + _SALTS[view * 8 + length] for codes, view in ((whole, CHARACTERS), (short, TITLE)) for length in (1, 2)]
    both = inside
    for length in range(2, LONGEST_WORD + 1):
        both = both[:-1] & inside[length - 1 :]
        parts.append(whole.sums(length)[both] + _SALTS[WORDS * 8 + length])
    keys = _spread(np.concatenate(parts))
    letters = whole.words_of_letters()
    return np.concatenate([keys, letters.keys, _pairs(letters).keys]) if len(letters.keys) else keys


def word_key(word: str) -> int:
    """The key of a word in view `WORDS`."""
    codes = _Codes([word])
    keys = codes.words_of_letters().keys if codes.letters.all() else codes.window_keys(len(word), WORDS)
    return int(keys[0])


def sign_keys(texts: Sequence[tuple[str, str]]) -> NDArray[np.uint64]:
    """The keys of these texts' n-grams that hold no letter and no digit: signs, blanks and line breaks."""
    runs = {run for title, text in texts for part in normalised_texts(title, text) for run in _SIGNS.findall(part)}
    signs = _Codes(sorted(runs))
    return np.concatenate([windows.keys for view in (CHARACTERS, TITLE) for windows in signs.characters(view)])


@dataclass(frozen=True, slots=True)
class Windows:
    """N-grams of one length in one view: keys, texts and places."""

    keys: NDArray[np.uint64]
    documents: NDArray[np.int32]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


class _Codes:
    """The code points of several texts, one after the other."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
        self._wide = self.codes.astype(np.uint64)
        self._documents = np.repeat(np.arange(len(texts), dtype=np.int32), [len(text) for text in texts])
        self._sums: list[NDArray[np.uint64]] = [self._wide * _POWERS[0]]

    @property
    def letters(self) -> NDArray[np.bool_]:
        """Which characters are letters of scripts that write words with spaces."""
        c = self.codes
        # Unsigned: what lies below wraps to the top, so that one comparison does for two.
        ascii_letters = (c - np.uint32(ord("a"))) <= ord("z") - ord("a")
        other = (c - np.uint32(_FIRST_LETTER)) <= _LAST_LETTER - _FIRST_LETTER
        return ascii_letters | (other & ~np.isin(c, _NO_LETTERS)) if other.any() else ascii_letters

    def window_keys(self, length: int, view: int) -> NDArray[np.uint64]:
        """The keys of all windows of this many characters, also of those over the end of a text."""
        return _spread(self.sums(length) + _SALTS[view * 8 + length])

    def sums(self, length: int) -> NDArray[np.uint64]:
        """The sums of all windows of this many characters."""
        while len(self._sums) < length:
            at = len(self._sums)
            self._sums.append(self._sums[-1][:-1] + self._wide[at:] * _POWERS[at])
        return self._sums[length - 1]

    def characters(self, view: int) -> list[Windows]:
        """Single characters and pairs."""
        return [self._windows(length, view, None) for length in (1, 2)]

    def ideograph_windows(self) -> list[Windows]:
        """Every place where a Chinese word may be."""
        c = self.codes
        ideographs = (c >= _FIRST_IDEOGRAPH) & (c <= _LAST_IDEOGRAPH)
        windows = []
        inside = ideographs
        for length in range(2, LONGEST_WORD + 1):
            inside = inside[:-1] & ideographs[length - 1 :]
            windows.append(self._windows(length, WORDS, inside))
        return windows

    def words_of_letters(self) -> Windows:
        """The words of letters."""
        letters, documents = self.letters, self._documents
        if not letters.any():
            nothing = np.zeros(0, np.int64)
            return Windows(nothing.astype(np.uint64), nothing.astype(np.int32), nothing, nothing)
        before = np.zeros(len(letters), np.bool_)
        before[1:] = letters[:-1] & (documents[1:] == documents[:-1])
        starts = np.flatnonzero(letters & ~before)
        after = np.zeros(len(letters), np.bool_)
        after[:-1] = before[1:] & letters[1:]
        ends = np.flatnonzero(letters & ~after) + 1
        at = np.flatnonzero(letters)
        lengths = ends - starts
        offsets = np.cumsum(lengths) - lengths
        # Letters beyond the longest power share it: words of that length are rare, and a collision costs accuracy only.
        powers = np.minimum(np.arange(len(at)) - np.repeat(offsets, lengths), len(_POWERS) - 1)
        sums = np.add.reduceat(self._wide[at] * _POWERS[powers], offsets)
        return Windows(_spread(sums + _SALTS[WORDS * 8 + 6]), documents[starts], starts, ends)

    def _windows(self, length: int, view: int, inside: NDArray[np.bool_] | None) -> Windows:
        keys = self.window_keys(length, view)
        documents = self._documents
        one_text = documents[: len(keys)] == documents[length - 1 :][: len(keys)]
        starts = np.flatnonzero(one_text if inside is None else one_text & inside)
        return Windows(keys[starts], documents[starts], starts, starts + length)


def _pairs(words: Windows) -> Windows:
    same = words.documents[1:] == words.documents[:-1]
    keys = (words.keys[:-1] * _SALT_PAIR + words.keys[1:])[same]
    return Windows(keys, words.documents[1:][same], words.starts[:-1][same], words.ends[1:][same])


def _spread(sums: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread new sums over all bits, in place: the lookup takes the upper ones."""
    sums *= _MIX
    sums ^= sums >> np.uint64(32)
    return sums
