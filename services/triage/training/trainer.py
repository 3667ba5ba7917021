"""Trains a model: one vocabulary, one head a label, and the report of what it reaches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.triage.domain.classifier.text_model import DRIFT_BUCKETS, LabelHead, TextModel
from services.triage.training.cold_start import learn_from_names
from services.triage.training.examples import LabelExamples
from services.triage.training.features import FeatureCounts, count_features
from services.triage.training.history import DEFAULT_LABEL, HistoryError, HistoryRow, LabelNames, history_hash
from services.triage.training.linear_fit import FittedLabel, fit_label
from services.triage.training.measures import measure

_LEAST_GROUPS: Final = 3
"""Groups of messages that a value needs to be learned: fewer cannot be cross-validated."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model without a version, which its file gives, and its report."""

    model: TextModel
    report: dict[str, Any]


def train(rows: Sequence[HistoryRow], names: Sequence[LabelNames] = (), *, label_of_names: str = DEFAULT_LABEL) -> TrainedModel:
    """Train on the labelled messages; of the label of `names` also on the tree's names and the messages without a label.

    Raises `HistoryError` if no label has two values with messages of three groups each.
    """
    counts = count_features(rows, _dictionary(names))
    labels = sorted({label for row in rows for label in row.labels} | ({label_of_names} if names else set()))
    fitted = [_fit(counts, rows, label, names if label == label_of_names else ()) for label in labels]
    learned = [label for label in fitted if label is not None]
    if not learned:
        raise HistoryError(
            f"the history: no label has two values with messages of {_LEAST_GROUPS} groups each; add messages, or names by --names"
        )
    heads = tuple(label.head for label in learned)
    features = np.flatnonzero(np.any([used_features(head) for head in heads], axis=0))
    model = _restricted(counts, heads, features)
    report = {
        "messages": len(rows),
        "history_sha256": history_hash(rows),
        "features": len(features),
        "labels": {label.head.label: _label_report(label, rows) for label in learned},
    }
    return TrainedModel(model, report)


def used_features(head: LabelHead) -> NDArray[np.bool_]:
    """The features that have a weight."""
    return np.asarray(np.abs(head.weights).max(axis=1) > 0, np.bool_)


def label_examples(rows: Sequence[HistoryRow], label: str) -> tuple[LabelExamples, tuple[str, ...]]:
    """The messages that have the label, and the values that too few groups have."""
    groups_by_value: dict[str, set[str]] = {}
    for row in rows:
        if label in row.labels:
            groups_by_value.setdefault(row.labels[label], set()).add(row.group)
    values = tuple(sorted(value for value, groups in groups_by_value.items() if len(groups) >= _LEAST_GROUPS))
    rare = tuple(sorted(groups_by_value.keys() - set(values)))
    places = [place for place, row in enumerate(rows) if row.labels.get(label) in values]
    targets = np.array([values.index(rows[place].labels[label]) for place in places], np.int64)
    groups = np.array([rows[place].group for place in places], np.str_)
    return LabelExamples(label, values, np.array(places, np.int64), targets, groups, np.ones(len(places))), rare


def _fit(counts: FeatureCounts, rows: Sequence[HistoryRow], label: str, names: Sequence[LabelNames]) -> FittedLabel | None:
    examples, _ = label_examples(rows, label)
    if names:
        return learn_from_names(counts, rows, examples, names)
    return fit_label(counts, examples) if len(examples.values) > 1 else None


def _dictionary(names: Iterable[LabelNames]) -> set[str]:
    """Names and synonyms of the tree that are words of two to four characters."""
    return {name for entry in names for name in entry.names if 2 <= len(name) <= 4 and name.isalpha() and not name.isascii()}  # noqa: PLR2004 - a word's length


def _restricted(counts: FeatureCounts, heads: tuple[LabelHead, ...], features: NDArray[np.int64]) -> TextModel:
    """The model with these features alone."""
    reduced = tuple(
        replace(head, feature_weights=head.feature_weights[features], weights=np.ascontiguousarray(head.weights[features]))
        for head in heads
    )
    occurrences = np.bincount(counts.matrix[: len(counts.title_rows)].indices, minlength=counts.matrix.shape[1])[features]
    buckets = np.bincount(np.arange(len(features)) % DRIFT_BUCKETS, occurrences, minlength=DRIFT_BUCKETS)
    model = counts.model
    return TextModel(
        "",
        model.keys[features],
        model.views[features],
        model.signs[features],
        model.view_weights,
        reduced,
        buckets / max(1, buckets.sum()),
    )


def _label_report(fitted: FittedLabel, rows: Sequence[HistoryRow]) -> dict[str, Any]:
    examples = fitted.examples
    messages = {value: int(number) for value, number in zip(examples.values, np.bincount(examples.targets), strict=False)}
    _, rare = label_examples(rows, fitted.head.label)
    # Line numbers, not texts: the report goes where the model goes.
    suspected = (examples.rows[fitted.suspected] + 1).tolist()
    report: dict[str, Any] = {"values": messages, "too_rare": list(rare), "seem_mislabelled": suspected}
    return report | ({"cross_validated": measure(fitted.cross_validated, examples.targets)} if len(examples.targets) else {})
