"""The review that triage's decision on a case asks for, as it follows from the case's events."""

from __future__ import annotations

from typing import Any

from services.sla.domain.lifecycle.case import Case

REVIEW_DECIDED = "review_decided"
_ROUTES = frozenset({"routed", "route_proposed", "reassigned"})
REVIEW_EVENTS = _ROUTES | {REVIEW_DECIDED}
"""Events that open or end a review; the end of a case ends one too."""
TRIAGE = "triage"


def review_after(case: Case, event_type: str, data: dict[str, Any]) -> dict[str, Any]:
    """The review of the case after the event, whose number the case has already.

    A route by a person ends a review: what was uncertain is decided, and no one has to look at it again.
    """
    if event_type not in _ROUTES:
        return {}
    if data.get("by") != TRIAGE:
        return {}
    if not data.get("review"):
        return case.review
    return {
        "sequence": case.sequence,
        "reason": data["review"],
        "model": data.get("model", ""),
        "guesses": [dict(guess) for guess in data.get("guesses", ())],
    }


def first_guesses(review: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Label → its most probable guess; guesses come with the best first."""
    guesses: dict[str, dict[str, Any]] = {}
    for guess in review.get("guesses", ()):
        guesses.setdefault(guess["label"], guess)
    return guesses
