"""Compares the classifier's first guesses with the decisions of people: which were right, and the calibration error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from services.sla.domain.lifecycle.reviews.records import first_guesses
from shared.procedures.model.procedure import Procedure

_BINS: Final = 15
"""As many as the training report has, so that the two figures can be compared."""


def lowest_confidence(review: dict[str, Any]) -> float:
    """The probability of the least sure of the first guesses; 0 without guesses."""
    return min((float(guess["probability"]) for guess in first_guesses(review).values()), default=0.0)


def judged_guesses(decided: dict[str, Any], procedure: Procedure) -> list[dict[str, Any]]:
    """For each label that the decision gives a value: the first guess's probability, and whether it was right."""
    values = {name: decided[name] for name in ("kind", "subject", "department") if decided.get(name)} | decided.get("labels", {})
    titles = {name: node.id for node in procedure.subjects for name in (node.zh, node.en) if name}
    return [
        {
            "label": label,
            "probability": float(guess["probability"]),
            # A history may name subjects by title.
            "right": (titles.get(guess["value"], guess["value"]) if label == "subject" else guess["value"]) == values[label],
        }
        for label, guess in first_guesses(decided).items()
        if label in values
    ]


def calibration_error(judged: Iterable[tuple[float, bool]]) -> float | None:
    """Expected calibration error of (probability, right) pairs in 15 bins of equal width; None without pairs."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for probability, right in judged:
        bins.setdefault(min(int(probability * _BINS), _BINS - 1), []).append((probability, right))
    total = sum(map(len, bins.values()))
    if not total:
        return None
    return sum(abs(sum(p for p, _ in each) - sum(right for _, right in each)) for each in bins.values()) / total
