"""Calibrates margins: a sigmoid for each value, one temperature for all."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from services.triage.domain.classifier.text_model import LabelHead
from services.triage.training.examples import LabelExamples

_REGULARISATION: Final = 100.0
_TEMPERATURES: Final = (0.3, 3.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The parameters that turn margins into probabilities, and the prior ones."""

    head: LabelHead

    def probabilities(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probabilities of margins."""
        return self.head.probabilities(margins)

    def apply(self, head: LabelHead) -> LabelHead:
        """The head with this calibration."""
        fitted = self.head
        return replace(head, slopes=fitted.slopes, offsets=fitted.offsets, temperature=fitted.temperature, priors=fitted.priors)


def calibrate(margins: NDArray[np.float64], targets: NDArray[np.int64], weights: NDArray[np.float64]) -> Calibration:
    """The calibration of margins of messages that their classifier did not see."""
    number = margins.shape[1]
    models = [_sigmoid(margins[:, [value]], targets == value, weights) for value in range(number)]
    slopes, offsets = (np.array(column, np.float64) for column in zip(*models, strict=True))
    empty = np.zeros((0, number), np.float32)
    # One message more for each value: a value that few or none of these messages have is rare, not impossible.
    shares = np.bincount(targets, weights, minlength=number) + 1.0
    priors = shares / shares.sum()
    head = LabelHead("", ("",) * number, np.zeros(0, np.float32), empty, np.zeros(number), slopes, offsets, np.array(1.0), priors)

    def loss(temperature: float) -> float:
        probabilities = replace(head, temperature=np.array(temperature)).probabilities(margins)
        given = probabilities[np.arange(len(targets)), targets]
        return float(-np.average(np.log(np.maximum(given, 1e-12)), weights=weights))

    best = minimize_scalar(loss, bounds=_TEMPERATURES, method="bounded").x
    return Calibration(replace(head, temperature=np.array(float(best))))


def uncalibrated(
    examples: LabelExamples, feature_weights: NDArray[np.float32], weights: NDArray[np.float32], bias: NDArray[np.float64]
) -> LabelHead:
    """A head whose probabilities are those of unscaled margins."""
    number = len(examples.values)
    ones, zeros = np.ones(number), np.zeros(number)
    return LabelHead(examples.label, examples.values, feature_weights, weights, bias, ones, zeros, np.array(1.0), ones / number)


def _sigmoid(margins: NDArray[np.float64], is_value: NDArray[np.bool_], weights: NDArray[np.float64]) -> tuple[float, float]:
    model = LogisticRegression(C=_REGULARISATION).fit(margins, is_value, sample_weight=weights)
    return float(model.coef_[0, 0]), float(model.intercept_[0])
