"""The distance between today's words and those of the training."""

import numpy as np
import pytest

from services.triage.domain.classifier.drift import WordDrift


def test_the_same_words_have_no_distance_and_others_one_bit() -> None:
    reference = np.repeat([1 / 128, 0.0], 128)
    same, other = WordDrift(reference), WordDrift(reference)
    same.add(np.tile(np.arange(128), 30))
    other.add(np.tile(np.arange(128, 256), 30))
    assert same.divergence() == pytest.approx(0.0, abs=1e-9)
    assert other.divergence() == pytest.approx(1.0)


def test_few_words_tell_nothing() -> None:
    drift = WordDrift(np.repeat([1 / 128, 0.0], 128))
    drift.add(np.arange(128, 256))
    assert drift.divergence() == 0.0
