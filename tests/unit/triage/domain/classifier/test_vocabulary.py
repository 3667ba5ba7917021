"""The hash table of a model's keys."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.triage.domain.classifier.vocabulary import UNKNOWN, Vocabulary

KEYS = st.integers(0, 2**64 - 1) | st.integers(0, 50) | st.integers(2**64 - 50, 2**64 - 1)


@given(st.sets(KEYS, max_size=200), st.lists(KEYS, max_size=50))
def test_every_key_is_found_and_no_other(keys: set[int], others: list[int]) -> None:
    ordered = sorted(keys)
    vocabulary = Vocabulary(np.array(ordered, np.uint64))
    assert vocabulary.find(np.array(ordered, np.uint64)).tolist() == list(range(len(ordered)))
    expected = [ordered.index(key) if key in keys else UNKNOWN for key in others]
    assert vocabulary.find(np.array(others, np.uint64)).tolist() == expected
