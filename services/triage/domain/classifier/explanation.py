"""Explains a guess: how much each n-gram of the text adds to the margin of a value."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from services.triage.domain.classifier.ngrams import TITLE, LocatedNgrams, locate_ngrams
from services.triage.domain.classifier.prediction import LabelPrediction
from services.triage.domain.classifier.text_model import LabelHead, TextModel
from services.triage.domain.classifier.vocabulary import UNKNOWN


@dataclass(frozen=True, slots=True)
class NgramContribution:
    """The share of an n-gram in the margin, over all its views and places."""

    ngram: str
    contribution: float


@dataclass(frozen=True, slots=True)
class GuessExplanation:
    """The guesses of a label, and the best one's margin: `bias` and all `contributions`, the strongest first, add up to it."""

    prediction: LabelPrediction
    margin: float
    bias: float
    contributions: tuple[NgramContribution, ...]


def explain(model: TextModel, title: str, text: str) -> list[GuessExplanation]:
    """One explanation a label; title and text are reading copies."""
    located = locate_ngrams(title, text)
    names = _names(model, located)
    (predictions,) = model.classify([(title, text)])
    return [_explain_label(model, head, p, (title, text), names) for head, p in zip(model.heads, predictions, strict=True)]


def _explain_label(
    model: TextModel, head: LabelHead, prediction: LabelPrediction, text: tuple[str, str], names: dict[int, str]
) -> GuessExplanation:
    counted = model.count_features([text])
    column = head.values.index(prediction.best.value)
    added = model.feature_values(head.feature_weights, counted) * head.weights[counted.features, column]
    by_ngram: defaultdict[str, float] = defaultdict(float)
    for feature, value in zip(counted.features.tolist(), added.tolist(), strict=True):
        by_ngram[names[feature]] += value
    ordered = sorted(by_ngram.items(), key=lambda item: (-abs(item[1]), item[0]))
    margin = float(model.margins(head, counted)[0, column])
    return GuessExplanation(
        prediction, margin, float(head.bias[column]), tuple(NgramContribution(ngram, value) for ngram, value in ordered)
    )


def _names(model: TextModel, located: LocatedNgrams) -> dict[int, str]:
    """Feature → its n-gram as it is in the text; the model has hashes only, so that it shows no word of its history."""
    features = model.find_features(located.keys)
    known = np.flatnonzero(features != UNKNOWN)
    names: dict[int, str] = {}
    for at in known.tolist():
        source = located.title if located.views[at] == TITLE else located.whole
        names.setdefault(int(features[at]), source[located.starts[at] : located.ends[at]])
    return names


def strongest(explanation: GuessExplanation, number: int) -> tuple[str, ...]:
    """The n-grams that speak most for the guess, without those that are part of a stronger one."""
    chosen: list[str] = []
    for entry in explanation.contributions:
        ngram = entry.ngram.strip()
        if entry.contribution > 0 and len(ngram) > 1 and not any(ngram in other or other in ngram for other in chosen):
            chosen.append(ngram)
        if len(chosen) == number:
            break
    return tuple(chosen)
