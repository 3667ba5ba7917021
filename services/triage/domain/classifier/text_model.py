"""A trained model: arrays, and the probabilities that they give a text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.triage.domain.classifier.ngrams import VIEWS, extract_ngrams
from services.triage.domain.classifier.prediction import Guess, LabelPrediction
from services.triage.domain.classifier.vocabulary import UNKNOWN, Vocabulary

GUESSES: Final = 3
DRIFT_BUCKETS: Final = 256
"""Buckets of features whose shares tell how far the words of today are from those of the training."""
_CHUNK: Final = 64
"""Texts that are computed at once: more would not fit into the processor's cache."""
_LOG_TABLE: Final = (1 + np.log(np.arange(1, 4 * 4096, dtype=np.float64))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class LabelHead:
    """The weights of one label; `weights` are of features × values.

    A text's margins are features · weights + bias. Each value's sigmoid of slope · margin + offset is its probability against all
    others; together they are the softmax of temperature · log(sigmoid). `priors` are the shares of the values in the history.
    """

    label: str
    values: tuple[str, ...]
    feature_weights: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float64]
    slopes: NDArray[np.float64]
    offsets: NDArray[np.float64]
    temperature: NDArray[np.float64]
    priors: NDArray[np.float64]

    def probabilities(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities of margins, one row a text."""
        log_sigmoids = -np.logaddexp(0, -(margins * self.slopes + self.offsets))
        # Sigmoids alone rank the surest best but are not calibrated: the temperature takes the calibration error from .027 to .008.
        logits = log_sigmoids * self.temperature
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)


@dataclass(frozen=True, slots=True)
class CountedFeatures:
    """The features of a batch, sorted by text: `documents`, `features` and how often each occurs in its text, as 1 + log(count)."""

    documents: NDArray[np.int64]
    features: NDArray[np.int64]
    frequencies: NDArray[np.float32]
    size: int


@dataclass(frozen=True)
class TextModel:
    """A model of one or several labels over one vocabulary.

    `views` is the view of each feature, `view_weights` the weight of each view; `signs` are the features that hold no letter and no
    digit. `version` is a hash of the arrays; `report` is the
    report of its training. `reference` is how often feature buckets occurred in training, against which drift is measured.
    """

    version: str
    keys: NDArray[np.uint64]
    views: NDArray[np.int8]
    signs: NDArray[np.bool_]
    view_weights: NDArray[np.float64]
    heads: tuple[LabelHead, ...]
    reference: NDArray[np.float64]
    report: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_vocabulary", Vocabulary(self.keys))
        tells = {head.label: ~self.signs & (head.weights != 0).any(axis=1) for head in self.heads}
        object.__setattr__(self, "_tells", tells)

    def head(self, label: str) -> LabelHead | None:
        """The head of a label, None if the model has not learned it."""
        return next((head for head in self.heads if head.label == label), None)

    def classify(self, texts: Sequence[tuple[str, str]]) -> list[tuple[LabelPrediction, ...]]:
        """The guesses for each title and text, which are reading copies; one prediction a label."""
        predictions: list[tuple[LabelPrediction, ...]] = []
        for start in range(0, len(texts), _CHUNK):
            counted = self.count_features(texts[start : start + _CHUNK])
            by_label = [self._guess(head, counted) for head in self.heads]
            predictions += zip(*by_label, strict=True)
        return predictions

    def probabilities(self, head: LabelHead, counted: CountedFeatures) -> NDArray[np.float64]:
        """The probabilities of the values, one row a text: the prior ones for a text without evidence."""
        return self._probabilities(head, counted, self.evidence(head, counted))

    def _probabilities(self, head: LabelHead, counted: CountedFeatures, evidence: NDArray[np.bool_]) -> NDArray[np.float64]:
        calibrated = head.probabilities(self.margins(head, counted))
        # Every text has at least a line break: scaled to the length of a whole text, it decided on a value with 99.9 %.
        return calibrated if evidence.all() else np.where(evidence[:, np.newaxis], calibrated, head.priors)

    def _guess(self, head: LabelHead, counted: CountedFeatures) -> list[LabelPrediction]:
        evidence = self.evidence(head, counted)
        return _guesses(head, self._probabilities(head, counted, evidence), evidence)

    def evidence(self, head: LabelHead, counted: CountedFeatures) -> NDArray[np.bool_]:
        """Which texts have an n-gram with a letter or digit that the label was learned from."""
        tells: NDArray[np.bool_] = self._tells[head.label][counted.features]  # type: ignore[attr-defined]  # set once, see `__post_init__`
        return np.bincount(counted.documents[tells], minlength=counted.size) > 0

    def find_features(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The feature of each key, `UNKNOWN` (-1) for others."""
        vocabulary: Vocabulary = self._vocabulary  # type: ignore[attr-defined]  # set once, see `__post_init__`
        return vocabulary.find(keys)

    def count_features(self, texts: Sequence[tuple[str, str]]) -> CountedFeatures:
        """The features of each text and how often they occur."""
        ngrams = extract_ngrams(texts)
        features = self.find_features(ngrams.keys)
        known = features != UNKNOWN
        width = max(1, len(self.keys))
        places = ngrams.documents[known].astype(np.int64) * width + features[known]
        # Below 2^31 integers of 32 bits are sorted by vector instructions, four times as fast.
        places = np.sort(places.astype(np.int32) if ngrams.size * width < 1 << 31 else places)
        first = np.empty(len(places), np.bool_)
        first[:1] = True
        np.not_equal(places[1:], places[:-1], out=first[1:])
        starts = np.flatnonzero(first)
        counts = np.empty_like(starts)
        np.subtract(starts[1:], starts[:-1], out=counts[:-1])
        counts[-1:] = len(places) - starts[-1:]
        once = places[starts].astype(np.int64)
        documents, features_once = (np.zeros_like(once), once) if ngrams.size == 1 else np.divmod(once, width)
        return CountedFeatures(documents, features_once, _LOG_TABLE[counts - 1], ngrams.size)

    def feature_values(self, weights: NDArray[np.float32], counted: CountedFeatures) -> NDArray[np.float64]:
        """The weighted values of the features, each view of a text scaled to the length of its weight."""
        values = (counted.frequencies * weights[counted.features]).astype(np.float64)
        groups = counted.documents * VIEWS + self.views[counted.features]
        squares = np.bincount(groups, values * values, minlength=counted.size * VIEWS)
        scales = self.view_weights / np.sqrt(np.maximum(squares, 1e-12)).reshape(-1, VIEWS)
        return np.asarray(values * scales.ravel()[groups], np.float64)

    def margins(self, head: LabelHead, counted: CountedFeatures) -> NDArray[np.float64]:
        """The margins of each text: one row a text, one column a value."""
        values = self.feature_values(head.feature_weights, counted)
        margins = np.empty((counted.size, len(head.bias)))
        margins[:] = head.bias
        if len(values):
            starts = [0, *(np.flatnonzero(counted.documents[1:] != counted.documents[:-1]) + 1).tolist()]
            # `take` copies a row at once, an index each of its values.
            weights = head.weights.take(counted.features, axis=0).astype(np.float64)
            # A product for each text is twice as fast as one sum over the groups of the batch.
            bounds = zip(counted.documents[starts].tolist(), starts, [*starts[1:], len(values)], strict=True)
            for document, start, end in bounds:
                margins[document] += values[start:end] @ weights[start:end]
        return margins


def _guesses(head: LabelHead, probabilities: NDArray[np.float64], evidence: NDArray[np.bool_]) -> list[LabelPrediction]:
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :GUESSES].tolist()
    return [
        LabelPrediction(head.label, tuple(Guess(head.values[value], of_text[value]) for value in values), has_evidence)
        for values, of_text, has_evidence in zip(best, probabilities.tolist(), evidence.tolist(), strict=True)
    ]
