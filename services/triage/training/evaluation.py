"""Measures a model on labelled messages."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.triage.domain.classifier.text_model import LabelHead, TextModel
from services.triage.training.history import HistoryRow
from services.triage.training.measures import measure

_CHUNK = 64


def evaluate_model(model: TextModel, rows: Sequence[HistoryRow], label: str) -> dict[str, Any] | None:
    """The figures of a label on the messages whose value the model knows; None if there is none."""
    head = model.head(label)
    if head is None:
        return None
    known = [row for row in rows if row.labels.get(label) in head.values]
    if not known:
        return None
    targets = np.array([head.values.index(row.labels[label]) for row in known])
    figures = measure(model_probabilities(model, head, [(row.title, row.text) for row in known]), targets)
    return figures | {"unknown_values": sum(label in row.labels for row in rows) - len(known)}


def model_probabilities(model: TextModel, head: LabelHead, texts: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
    """The served probabilities of all values, one row a text."""
    parts = [texts[start : start + _CHUNK] for start in range(0, len(texts), _CHUNK)]
    return np.concatenate([model.probabilities(head, model.count_features(part)) for part in parts])
