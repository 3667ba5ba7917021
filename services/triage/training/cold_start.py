"""Learns a label from the names of a tree and from messages without a label: matching, then training on its own surest answers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.triage.domain.classifier.text_model import LabelHead
from services.triage.training.calibration import calibrate
from services.triage.training.examples import LabelExamples
from services.triage.training.features import FeatureCounts
from services.triage.training.history import HistoryError, HistoryRow, LabelNames
from services.triage.training.linear_fit import FittedLabel, fit_label, fit_weights, head_margins
from services.triage.training.name_matching import match_names

_ROUNDS: Final = 4
_FIRST_SHARE, _MORE_EACH_ROUND = 0.5, 0.15
_GUESSED_WEIGHT: Final = 0.3
"""Weight of a message with a guessed value beside one that a person labelled."""
_ENOUGH_LABELS: Final = 2_000
"""Labelled messages from which guesses no longer help."""
_LEAST_CALIBRATED: Final = 100
_STEEPEST: Final = 2.0


def learn_from_names(
    counts: FeatureCounts, rows: Sequence[HistoryRow], labelled: LabelExamples, names: Sequence[LabelNames]
) -> FittedLabel | None:
    """The head of a label whose values the tree names; None if it names fewer than two."""
    values = tuple(sorted({entry.value for entry in names} | set(labelled.values)))
    if len(values) < 2:  # noqa: PLR2004 - one value leaves nothing to decide
        return None
    known = replace(labelled, values=values, targets=np.array([values.index(labelled.values[t]) for t in labelled.targets], np.int64))
    if len(known.rows) >= _ENOUGH_LABELS and set(labelled.values) == set(values):
        return fit_label(counts, known)
    scores = match_names([f"{row.title}\n{row.text}".lower() for row in rows], names, values)
    examples, head = _self_training(counts, scores, known)
    return _calibrated(counts, head, examples, known)


def _self_training(counts: FeatureCounts, scores: NDArray[np.float64], known: LabelExamples) -> tuple[LabelExamples, LabelHead]:
    """Train on the labelled messages and the surest guesses, guess again, and so on."""
    share = _FIRST_SHARE
    open_rows = np.setdiff1d(np.arange(len(scores)), known.rows)
    examples, head = known, None
    for _ in range(_ROUNDS):
        guessed, targets = _surest(scores, open_rows, share)
        examples = _with_guesses(known, guessed, targets)
        if len(np.unique(examples.targets)) < 2:  # noqa: PLR2004 - one value leaves nothing to decide
            break
        head = _fit_present_values(counts, examples)
        scores = head_margins(counts, head, np.arange(len(scores)))
        share = min(1.0, share + _MORE_EACH_ROUND)
    if head is None:
        raise HistoryError("the history: no message shows two names of the tree; give messages in which they occur, or labels")
    return examples, head


def _surest(scores: NDArray[np.float64], rows: NDArray[np.int64], share: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each value the share of its messages that stand out most from the second best value."""
    ordered = np.sort(scores[rows], axis=1)
    lead = ordered[:, -1] - ordered[:, -2]
    best = scores[rows].argmax(axis=1)
    chosen = []
    for value in np.unique(best):
        of_value = np.flatnonzero((best == value) & (lead > 0))
        chosen.append(of_value[np.argsort(-lead[of_value], kind="stable")][: max(1, int(len(of_value) * share))])
    places = np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, np.int64)
    return rows[places], best[places]


def _with_guesses(known: LabelExamples, guessed: NDArray[np.int64], targets: NDArray[np.int64]) -> LabelExamples:
    weight = _GUESSED_WEIGHT if len(known.rows) else 1.0
    return replace(
        known,
        rows=np.concatenate([known.rows, guessed]),
        targets=np.concatenate([known.targets, targets]),
        groups=np.concatenate([known.groups, np.array([f"row {row}" for row in guessed], np.str_)]),
        weights=np.concatenate([known.weights, np.full(len(guessed), weight)]),
    )


def _fit_present_values(counts: FeatureCounts, examples: LabelExamples) -> LabelHead:
    """Weights for the values that have messages; the others never win."""
    present = np.unique(examples.targets)
    narrowed = replace(
        examples,
        values=tuple(examples.values[value] for value in present),
        targets=np.searchsorted(present, examples.targets).astype(np.int64),
    )
    fitted = fit_weights(counts, narrowed)
    number = len(examples.values)
    weights = np.zeros((len(fitted.weights), number), np.float32)
    weights[:, present] = fitted.weights
    bias = np.full(number, -10.0)
    bias[present] = fitted.bias
    return replace(fitted, values=examples.values, weights=weights, bias=bias, slopes=np.ones(number), offsets=np.zeros(number))


def _calibrated(counts: FeatureCounts, head: LabelHead, examples: LabelExamples, known: LabelExamples) -> FittedLabel:
    """Calibrated on a person's labels where there are enough, else on what the names alone say of the messages.

    Messages that trained the head are known to it, so that its margins on them are too wide: the slopes are bounded.
    """
    rows, targets = (known.rows, known.targets) if len(known.rows) >= _LEAST_CALIBRATED else (examples.rows, examples.targets)
    weights = np.ones(len(rows))
    margins = head_margins(counts, head, rows)
    fitted = calibrate(margins, targets, weights).apply(head)
    modest = replace(fitted, slopes=np.minimum(fitted.slopes, _STEEPEST))
    calibrated = replace(examples, rows=rows, targets=targets, weights=weights)
    return FittedLabel(modest, modest.probabilities(margins), calibrated, np.zeros(len(rows), np.bool_))
