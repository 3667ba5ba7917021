"""Measures the difference between the words of recent complaints and those of a model's training."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_KEPT: Final = 0.999
"""Share of the counts that a batch leaves: the last thousand batches weigh most."""
_LEAST_FEATURES: Final = 2_000
"""Occurrences below which a divergence is chance."""


class WordDrift:
    """The shares of feature buckets lately, compared with the shares in training."""

    def __init__(self, reference: NDArray[np.float64]) -> None:
        self._reference = reference
        self._counts = np.zeros(len(reference))

    def add(self, features: NDArray[np.int64]) -> None:
        """Count the features of a batch, each once a text."""
        buckets = len(self._counts)
        self._counts = self._counts * _KEPT + np.bincount(features % buckets, minlength=buckets)

    def divergence(self) -> float:
        """The Jensen-Shannon divergence in bits: 0 the same words, 1 none in common; 0 while too few were seen."""
        total = self._counts.sum()
        if total < _LEAST_FEATURES:
            return 0.0
        shares = self._counts / total
        middle = (shares + self._reference) / 2
        return float((_relative_entropy(shares, middle) + _relative_entropy(self._reference, middle)) / 2)


def _relative_entropy(shares: NDArray[np.float64], against: NDArray[np.float64]) -> float:
    present = shares > 0
    return float(np.sum(shares[present] * np.log2(shares[present] / against[present])))
