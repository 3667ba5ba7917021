"""The prediction of a classifier for a complaint; without numpy, which a triage without a classifier does not load."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Guess:
    """A value of a label and its probability."""

    value: str
    probability: float


@dataclass(frozen=True, slots=True)
class LabelPrediction:
    """The best guesses for a label, the most probable first; without evidence in the text their probabilities are the prior ones."""

    label: str
    guesses: tuple[Guess, ...]
    has_evidence: bool = True

    @property
    def best(self) -> Guess:
        """The most probable value."""
        return self.guesses[0]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The predictions of one model for all its labels."""

    version: str
    labels: tuple[LabelPrediction, ...]

    def of_label(self, label: str) -> LabelPrediction | None:
        """The prediction for a label, None if the model has not learned it."""
        return next((prediction for prediction in self.labels if prediction.label == label), None)


class Classifier(Protocol):
    """Gives the prediction for a complaint's title and text, which are reading copies."""

    def predict(self, title: str, text: str) -> Prediction:
        """The prediction; the same for the same texts and model."""
