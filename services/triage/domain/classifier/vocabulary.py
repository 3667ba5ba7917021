"""The n-grams that a model knows: a hash table of their keys, in arrays."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

UNKNOWN: Final = -1
_SLOTS_PER_KEY: Final = 3
"""Most n-grams of a text are unknown; with two thirds of the slots free a first look finds that out."""


class Vocabulary:
    """Key → its index among the model's features."""

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        self._keys = keys
        bits = max(4, int(len(keys) * _SLOTS_PER_KEY).bit_length())
        self._shift = np.uint64(64 - bits)
        self._last = (1 << bits) - 1
        self._slots = self._fill(np.full(1 << bits, UNKNOWN, np.int32))
        # A quarter of the slots' bytes, looked into first: it stays in the processor's cache, and most n-grams end there. Of the
        # keys that belong into a slot it has a bit each, one of eight: an unknown key that meets a known one's slot mostly ends too.
        self._taken = self._slots != UNKNOWN
        self._marks = np.zeros(len(self._slots), np.uint8)
        np.bitwise_or.at(self._marks, (keys >> self._shift).astype(np.int64), _bits(keys))

    def __len__(self) -> int:
        return len(self._keys)

    def _fill(self, slots: NDArray[np.int32]) -> NDArray[np.int32]:
        """Put every key into its slot, or the next free one."""
        pending = np.arange(len(self._keys), dtype=np.int32)
        wanted = (self._keys >> self._shift).astype(np.int64)
        while len(pending):
            free = slots[wanted] == UNKNOWN
            # Of several keys for one slot the last is stored; the others look further.
            slots[wanted[free]] = pending[free]
            left = slots[wanted] != pending
            pending, wanted = pending[left], (wanted[left] + 1) & self._last
        return slots

    def find(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The index of each key, `UNKNOWN` for one that the model does not have."""
        at = (keys >> self._shift).view(np.int64)
        found = np.full(len(keys), UNKNOWN, np.int32)
        open_places = np.flatnonzero(self._marks.take(at) & _bits(keys))
        slots = at[open_places]
        while len(open_places):
            candidates = self._slots[slots]
            same = self._keys[candidates] == keys[open_places]
            found[open_places[same]] = candidates[same]
            slots, open_places = (slots[~same] + 1) & self._last, open_places[~same]
            still = self._taken[slots]
            slots, open_places = slots[still], open_places[still]
        return found


def _bits(keys: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """One of eight bits for each key, by bits that do not choose its slot."""
    return np.asarray(np.left_shift(np.uint8(1), keys.astype(np.uint8) & np.uint8(7)), np.uint8)
