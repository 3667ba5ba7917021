"""Fits and calibrates the linear weights of one label with scikit-learn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold
from sklearn.svm import LinearSVC

from services.triage.domain.classifier.text_model import LabelHead
from services.triage.training.calibration import calibrate, uncalibrated
from services.triage.training.examples import LabelExamples
from services.triage.training.features import FeatureCounts, label_weights, weigh

_REGULARISATION: Final = 0.5
_TOLERANCE: Final = 3e-3
_FOLDS: Final = 5
_TITLE_WEIGHT: Final = 0.3
_NOISE_PROBABILITY: Final = 0.02
_NOISE_CONFIDENCE: Final = 0.9
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FittedLabel:
    """A head, what its own cross-validation gave (probabilities by message), and which messages seem mislabelled."""

    head: LabelHead
    cross_validated: NDArray[np.float64]
    examples: LabelExamples
    suspected: NDArray[np.bool_]


def fit_label(counts: FeatureCounts, examples: LabelExamples) -> FittedLabel:
    """The head of a label: margins of messages that a fold did not see calibrate it, then all messages give its weights."""
    margins = _cross_validated_margins(counts, examples)
    calibration = calibrate(margins, examples.targets, examples.weights)
    head = calibration.apply(fit_weights(counts, examples))
    # Named, not left out: setting them aside cost 0.1 points of accuracy on the measured history.
    return FittedLabel(head, head.probabilities(margins), examples, suspected_noise(head.probabilities(margins), examples))


def suspected_noise(probabilities: NDArray[np.float64], examples: LabelExamples) -> NDArray[np.bool_]:
    """Messages whose label the other folds find nearly impossible, and another one nearly sure."""
    given = probabilities[np.arange(len(examples.targets)), examples.targets]
    return np.asarray((given < _NOISE_PROBABILITY) & (probabilities.max(axis=1) > _NOISE_CONFIDENCE), np.bool_)


def fit_weights(counts: FeatureCounts, examples: LabelExamples) -> LabelHead:
    """A head without calibration: its probabilities are the softmax of the margins."""
    number = len(examples.values)
    examples = _with_titles(counts, examples)
    matrix = counts.matrix[examples.rows]
    feature_weights = label_weights(matrix, examples.targets, number)
    weighed = weigh(counts.model, matrix, feature_weights)
    classifier = LinearSVC(C=_REGULARISATION, class_weight="balanced", tol=_TOLERANCE, random_state=0)
    classifier.fit(weighed, examples.targets, sample_weight=examples.weights)
    # The served weights have 32 bits: rounded here, they are those of the classifier.
    weights, bias = classifier.coef_.astype(np.float32), classifier.intercept_
    if number == 2:  # noqa: PLR2004 - scikit-learn has one column for two values
        weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
    return uncalibrated(examples, feature_weights, np.ascontiguousarray(weights.T), bias)


def _with_titles(counts: FeatureCounts, examples: LabelExamples) -> LabelExamples:
    """The messages, and beside each that has a title a copy of the title alone.

    A title is the shortest account of the matter: 0.4 points of accuracy on whole messages, 1.5 on titles alone.
    """
    titles = counts.title_rows[examples.rows]
    titled = titles >= 0
    return replace(
        examples,
        rows=np.concatenate([examples.rows, titles[titled]]),
        targets=np.concatenate([examples.targets, examples.targets[titled]]),
        groups=np.concatenate([examples.groups, examples.groups[titled]]),
        weights=np.concatenate([examples.weights, examples.weights[titled] * _TITLE_WEIGHT]),
    )


def head_margins(counts: FeatureCounts, head: LabelHead, rows: Sequence[int] | Indices) -> NDArray[np.float64]:
    """The margins of messages by their places in the matrix."""
    weighed = weigh(counts.model, counts.matrix[rows], head.feature_weights)
    return np.asarray(weighed @ head.weights.astype(np.float64) + head.bias, np.float64)


def _cross_validated_margins(counts: FeatureCounts, examples: LabelExamples) -> NDArray[np.float64]:
    margins = np.zeros((len(examples.rows), len(examples.values)))
    folds = min(_FOLDS, len(set(examples.groups.tolist())))
    for known, unseen in GroupKFold(folds).split(examples.rows, examples.targets, examples.groups):
        margins[unseen] = head_margins(counts, fit_weights(counts, _with_every_value(examples, known)), examples.rows[unseen])
    return margins


def _with_every_value(examples: LabelExamples, known: Indices) -> LabelExamples:
    """The known messages, and of a value that only one group has its messages too: a fold without a value has no margin for it."""
    missing = np.setdiff1d(np.arange(len(examples.values)), examples.targets[known])
    return examples.subset(np.concatenate([known, np.flatnonzero(np.isin(examples.targets, missing))]))
