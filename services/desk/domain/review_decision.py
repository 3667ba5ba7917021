"""The decision on a review as its form gives it: for each label one of the best guesses, or another value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

BEST = 3
_LABELS = ("department", "subject", "kind")


def best_guesses(guesses: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Label → its three most probable guesses; what people decide most often comes first."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for guess in sorted(guesses, key=lambda guess: -guess["probability"]):
        found.setdefault(str(guess["label"]), []).append(guess)
    order = [label for label in _LABELS if label in found] + sorted(label for label in found if label not in _LABELS)
    return {label: found[label][:BEST] for label in order}


def review_decision(values: Mapping[str, str]) -> dict[str, Any]:
    """The body that sla takes, from `guess.<label>` and `other.<label>`, `role` and `text`; the other value is used before the guess.

    Without any value it confirms the present ones.
    """
    chosen: dict[str, str] = {}
    for prefix in ("guess.", "other."):
        chosen |= {name.removeprefix(prefix): text.strip() for name, text in values.items() if name.startswith(prefix) and text.strip()}
    body: dict[str, Any] = {label: chosen.pop(label) for label in _LABELS if label in chosen}
    if chosen:
        body["labels"] = chosen
    if not body:
        body["confirm"] = True
    body |= {name: text for name in ("role", "text") if (text := values.get(name, "").strip())}
    return body
