"""Finds the Chinese words of a history: strings that hold together inside and vary outside.

A segmenter's dictionary does not know an organisation's own words, and would have to be kept; measured, it gains nothing (ADR 51).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.triage.domain.classifier.ngrams import LONGEST_WORD

_FIRST, _LAST = 0x3400, 0x9FFF
_BITS: Final = 15  # every ideograph of the range fits, four of them into 64 bits
_LEAST_COUNT: Final = 5
_LEAST_COHESION: Final = 0.2
"""Pointwise mutual information of the weakest split, as a share of its maximum."""
_LEAST_ENTROPY: Final = 0.8
"""Entropy, in nats, of the characters before and after; less: the string is part of a longer word."""

Integers = NDArray[np.int64]


def discover_words(texts: Sequence[str]) -> set[str]:
    """The words of two to four characters."""
    codes = np.frombuffer("\n".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
    ids = np.where((codes >= _FIRST) & (codes <= _LAST), codes - _FIRST + 1, 0)
    total = max(1, int((ids > 0).sum()))
    logs: list[NDArray[np.float64]] = []
    packed = np.zeros(len(ids), np.int64)
    words: set[str] = set()
    for length in range(1, LONGEST_WORD + 1):
        packed = (packed[: len(ids) - length + 1] << _BITS) | ids[length - 1 :]
        places = np.flatnonzero(_all_ideographs(ids, length))
        _, first, inverse, counts = np.unique(packed[places], return_index=True, return_inverse=True, return_counts=True)
        log_counts = np.zeros(len(packed))
        log_counts[places] = np.log(counts[inverse] / total)
        logs.append(log_counts)
        if length > 1:
            chosen = _choose(ids, places, first, inverse, counts, logs)
            words |= {bytes(codes[at : at + length].astype(np.uint32)).decode("utf-32-le") for at in chosen.tolist()}
    return words


def _all_ideographs(ids: Integers, length: int) -> NDArray[np.bool_]:
    inside = ids[: len(ids) - length + 1] > 0
    for offset in range(1, length):
        inside = inside & (ids[offset : len(ids) - length + 1 + offset] > 0)
    return inside


def _choose(
    ids: Integers, places: Integers, first: Integers, inverse: Integers, counts: Integers, logs: list[NDArray[np.float64]]
) -> Integers:
    """A place of each word, among the distinct strings of one length."""
    length = len(logs)
    at = places[first]
    splits = [logs[left - 1][at] + logs[length - left - 1][at + left] for left in range(1, length)]
    own = logs[-1][at]
    with np.errstate(divide="ignore", invalid="ignore"):
        cohesion = (own - np.max(splits, axis=0)) / -own
    candidate = (counts >= _LEAST_COUNT) & (cohesion >= _LEAST_COHESION)
    of_candidate = candidate[inverse]
    strings, where = inverse[of_candidate], places[of_candidate]
    padded = np.concatenate([[0], ids, [0]])
    before = _entropy(strings, padded[where], len(counts))
    after = _entropy(strings, padded[where + length + 1], len(counts))
    return np.asarray(at[candidate & (np.minimum(before, after) >= _LEAST_ENTROPY)], np.int64)


def _entropy(strings: Integers, neighbours: Integers, number: int) -> NDArray[np.float64]:
    pairs, counts = np.unique(strings << _BITS | neighbours, return_counts=True)
    of = pairs >> _BITS
    totals = np.bincount(of, counts, minlength=number)
    shares = counts / totals[of]
    return np.asarray(np.bincount(of, -shares * np.log(shares), minlength=number), np.float64)
