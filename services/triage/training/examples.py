"""The messages that one label is learned from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelExamples:
    """The messages that one label is learned from: their places in the matrix, values as numbers, groups and weights."""

    label: str
    values: tuple[str, ...]
    rows: Indices
    targets: Indices
    groups: NDArray[np.str_]
    weights: NDArray[np.float64]

    def subset(self, chosen: NDArray[Any]) -> "LabelExamples":
        """The chosen messages."""
        return LabelExamples(self.label, self.values, self.rows[chosen], self.targets[chosen], self.groups[chosen], self.weights[chosen])
