"""Measures a classifier on messages that it was not trained on."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

_BINS: Final = 15
_SURE_SHARES: Final = (0.8, 0.9)


def measure(probabilities: NDArray[np.float64], targets: NDArray[np.int64]) -> dict[str, Any]:
    """Accuracy, macro-F1, calibration error, accuracy of the surest messages, right among three, and how many are how sure."""
    best = probabilities.argmax(axis=1)
    right = best == targets
    three = np.argsort(-probabilities, axis=1)[:, :3]
    figures: dict[str, Any] = {
        "messages": len(targets),
        "accuracy": float(right.mean()),
        "macro_f1": float(f1_score(targets, best, average="macro", zero_division=0.0)),
        "calibration_error": calibration_error(probabilities.max(axis=1), right),
        "among_three": float((three == targets[:, None]).any(axis=1).mean()),
    }
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    for share in _SURE_SHARES:
        figures[f"accuracy_surest_{share:.0%}"] = float(right[order[: max(1, int(len(order) * share))]].mean())
    return figures | {"thresholds": thresholds(probabilities.max(axis=1), right)}


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The expected calibration error over 15 bins of the same width."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    weights = np.bincount(bins, minlength=_BINS)
    gaps = np.abs(np.bincount(bins, right, minlength=_BINS) - np.bincount(bins, confidence, minlength=_BINS))
    return float(gaps[weights > 0].sum() / len(confidence))


def thresholds(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> list[dict[str, float]]:
    """For each confidence that a procedure may set: the share of messages that reach it, and how many of them are right."""
    rows = []
    for threshold in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        reached = confidence >= threshold
        accuracy = float(right[reached].mean()) if reached.any() else 0.0
        rows.append({"confidence": threshold, "share": float(reached.mean()), "accuracy": accuracy})
    return rows


def describe(figures: dict[str, Any]) -> Sequence[str]:
    """The figures as lines."""
    lines = [f"{name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}" for name, value in _plain(figures)]
    return lines + [
        f"confidence ≥ {row['confidence']:.2f}: {row['share']:.1%} of messages, {row['accuracy']:.1%} right"
        for row in figures["thresholds"]
    ]


def _plain(figures: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in figures.items() if isinstance(value, int | float)]
