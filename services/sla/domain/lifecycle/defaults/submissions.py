"""Submissions for a decision on a case, and the decisions taken."""

from __future__ import annotations

from typing import Any

from services.sla.domain.lifecycle.case import Case

APPROVAL, REVIEW = "approval", "review"
AWAITED = ""
"""The state of something submitted on which no decision has been taken; afterwards it is the type of the decision's event."""
SUBJECT_BY_EVENT = {
    "measures_approved": APPROVAL,
    "measures_rejected": APPROVAL,
    "measures_deemed_approved": APPROVAL,
    "review_passed": REVIEW,
    "review_rejected": REVIEW,
}
EXTENSION_DECISIONS = frozenset({"extension_granted", "extension_refused"})
TRACKED_EVENTS = frozenset(
    {*SUBJECT_BY_EVENT, *EXTENSION_DECISIONS, "measures_submitted", "measures_signed_off", "review_requested", "extension_requested"}
)
"""The events that submit something or decide on it."""


def record_submission_or_decision(case: Case, event_type: str, data: dict[str, Any]) -> None:
    """Keep what awaits a decision, and which decision was taken."""
    decisions = case.decisions
    if event_type == "measures_submitted":
        _submit_measures(case, needs_sign_off=bool(data.get("needs_sign_off")))
    elif event_type == "measures_signed_off":
        if case.unsigned:
            _await_decision(case)
    elif event_type == "review_requested":
        # Without measures, the request itself is what the review decides on (device-service 4.1f: the unit's findings).
        if case.count.get("measures_submitted", 0) == 0:
            decisions[REVIEW] = AWAITED
    elif event_type == "extension_requested":
        decisions[extension_subject(data)] = AWAITED
    else:
        subject = extension_subject(data) if event_type in EXTENSION_DECISIONS else SUBJECT_BY_EVENT[event_type]
        decisions[subject] = event_type
        decisions[f"{subject} by {data.get('role', '')}"] = event_type


def extension_subject(data: dict[str, Any]) -> str:
    """The key of an extension in `Case.decisions`."""
    return f"extension of {data.get('clock', '')}"


def _submit_measures(case: Case, *, needs_sign_off: bool) -> None:
    # New measures replace those before; a deemed approval gives the owner full authority over them (greentown 4.8.1.3).
    if case.decisions.get(APPROVAL) != "measures_deemed_approved":
        case.approved = False
        case.decisions = _without(case.decisions, APPROVAL)
    case.decisions = _without(case.decisions, REVIEW)
    if not needs_sign_off:
        _await_decision(case)


def _await_decision(case: Case) -> None:
    for subject in (APPROVAL, REVIEW):
        case.decisions.setdefault(subject, AWAITED)


def _without(decisions: dict[str, str], subject: str) -> dict[str, str]:
    return {name: taken for name, taken in decisions.items() if name != subject and not name.startswith(f"{subject} by ")}
