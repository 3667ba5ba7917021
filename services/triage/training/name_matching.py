"""Matches messages with the names of a tree: shared strings of two to four characters, rare ones first."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.triage.training.history import LabelNames

_LONGEST: Final = 4
_SEPARATORS: Final = str.maketrans(dict.fromkeys("和与及、（）()/,， ", "\n"))


def match_names(texts: Sequence[str], names: Sequence[LabelNames], values: Sequence[str]) -> NDArray[np.float64]:
    """A score of each text for each value; a string that names of many values share counts little."""
    strings, profile = _profile(names, values)
    index = {string: place for place, string in enumerate(strings)}
    counted = [Counter(string for string in _strings([text]) if string in index) for text in texts]
    present = np.zeros(len(strings))
    for of_text in counted:
        present[[index[string] for string in of_text]] += 1
    rarity = np.log((len(texts) + 1) / (present + 1))
    scores = np.zeros((len(texts), len(values)))
    for row, of_text in enumerate(counted):
        if of_text:
            places = [index[string] for string in of_text]
            vector = (1 + np.log(list(of_text.values()))) * rarity[places]
            scores[row] = vector / max(float(np.linalg.norm(vector)), 1e-9) @ profile[places]
    return scores


def _profile(names: Sequence[LabelNames], values: Sequence[str]) -> tuple[list[str], NDArray[np.float64]]:
    by_value = {value: Counter[str]() for value in values}
    for entry in names:
        by_value[entry.value].update(set(_strings(entry.names)))
    strings = sorted({string for counts in by_value.values() for string in counts})
    present = np.log1p(np.array([[by_value[value][string] for value in values] for string in strings], np.float64).reshape(-1, len(values)))
    exclusive = present / np.maximum(present.sum(axis=1, keepdims=True), 1e-9)
    profile = np.sqrt(present) * exclusive
    return strings, profile / np.maximum(np.linalg.norm(profile, axis=0), 1e-9)


def _strings(texts: Iterable[str]) -> Iterable[str]:
    """The strings in which a text can agree with a name: Chinese ones of two to four characters, and words of letters."""
    for text in texts:
        for part in text.translate(_SEPARATORS).split("\n"):
            if part.isascii():
                if part:
                    yield part
                continue
            for length in range(2, _LONGEST + 1):
                yield from (part[start : start + length] for start in range(len(part) - length + 1))
