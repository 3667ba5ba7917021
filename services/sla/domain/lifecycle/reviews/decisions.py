"""Turns a decision on a review into its event's fields and the existing actions that follow from it, or refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.defaults.action_refusal import ActionRefusal
from services.sla.domain.lifecycle.reviews.records import REVIEW_DECIDED, first_guesses

__all__ = ["DECIDE_REVIEW", "REVIEW_DECIDED", "ReviewChange", "carry_out_review", "decided_fields", "missing_decision", "review_changes"]

DECIDE_REVIEW = "decide_review"
RULE = "triage_review"
_LABELS = ("kind", "subject", "department")
_CLASSIFICATION = ("kind", "subject")
_GIVEN = (*_LABELS, "labels", "confirm")


@dataclass(frozen=True, slots=True)
class ReviewChange:
    """An action that a decision on a review amounts to, with the event that it becomes and the event's fields."""

    action: str
    event_type: str
    data: dict[str, Any]


def decided_fields(builder: DecisionBuilder, data: dict[str, Any]) -> dict[str, Any]:
    """The fields of `review_decided`: kind, subject and department after it, and the guesses that it judges.

    A decision that states nothing is left as it is, to be refused.
    """
    review = builder.case.review
    if not review or not any(data.get(name) for name in _GIVEN):
        return data
    standing = _standing(builder)
    named = {name: data[name] for name in _LABELS if data.get(name)}
    named["subject"] = _subject_id(builder, named.get("subject", "")) or named.get("subject", "")
    decided = {name: value for name, value in {**standing, **{n: v for n, v in named.items() if v}}.items() if value}
    corrected = any(decided.get(name, "") != standing[name] for name in _LABELS)
    guesses = first_guesses(review)
    other = {name: str(guess["value"]) for name, guess in guesses.items() if name not in _LABELS}
    labels = {**(other if data.get("confirm") else {}), **data.get("labels", {})}
    corrected = corrected or any(name in other and value != other[name] for name, value in labels.items())
    judged = {"review": review["reason"], "model": review["model"], "guesses": review["guesses"], "labels": labels}
    fields = {**data, **decided, **judged, "outcome": "corrected" if corrected else "confirmed"}
    return {name: value for name, value in fields.items() if value not in ("", [], {})}


def missing_decision(builder: DecisionBuilder, data: dict[str, Any]) -> ActionRefusal | None:
    """The refusal of a decision where no review is open, of one that decides nothing, or that leaves the case without a department."""
    if (refusal := no_open_review(builder)) is not None:
        return refusal
    if not any(data.get(name) for name in _GIVEN):
        return ActionRefusal("confirm is missing; give confirm: true, or the kind, subject, department or labels that are right", rule=RULE)
    if not data.get("department"):
        return ActionRefusal("department is missing; neither a rule nor a guess gives one: name the department", rule=RULE)
    subjects = [node.id for node in builder.rulebook.procedure.subjects]
    if data.get("subject") and subjects and data["subject"] not in subjects:
        return ActionRefusal("subject: the procedure's subject tree has no such node; give the id of one of its nodes", rule=RULE)
    return None


def no_open_review(builder: DecisionBuilder) -> ActionRefusal | None:
    """The refusal of any decision where no review is open."""
    if builder.case.review:
        return None
    return ActionRefusal("the case is not up for review: it was decided already, or never was; use reclassify or reassign", rule=RULE)


def review_changes(case: Case, data: dict[str, Any]) -> Iterator[ReviewChange]:
    """The actions that a decision with these fields of `review_decided` amounts to: only for what differs from the case."""
    acting: dict[str, Any] = {name: data[name] for name in ("role", "actor") if name in data}
    changed = {name: data[name] for name in _CLASSIFICATION if data.get(name) and data[name] != getattr(case, name)}
    if changed:
        yield ReviewChange("reclassify", "reclassified", {**acting, **changed})
    department = data.get("department", "")
    cooperating = data.get("cooperating", [])
    if department and (department != case.department or (cooperating and cooperating != case.cooperating)):
        route = {**acting, "by": data.get("role", ""), "department": department}
        if cooperating:
            route["cooperating"] = cooperating
        action, event_type = ("reassign", "reassigned") if case.department else ("route", "routed")
        yield ReviewChange(action, event_type, route)


def carry_out_review(builder: DecisionBuilder, event: Event) -> None:
    """Add the events of the actions that the decision amounts to; a person has decided the department, which triage changes no more."""
    builder.case.decided_by_person.append("department")
    for change in list(review_changes(builder.case, event.data)):
        builder.add_event(change.event_type, event.at, change.data)


def _standing(builder: DecisionBuilder) -> dict[str, str]:
    """Return the values that hold without a correction: the case's own, then the proposed route, then the first guess that exists here."""
    case = builder.case
    guesses = {name: str(guess["value"]) for name, guess in first_guesses(case.review).items()}
    organisation = builder.rulebook.organisation
    proposed = "" if case.proposed == organisation.catch_all else case.proposed
    guessed = guesses.get("department", "")
    known = organisation.everyone or not organisation.departments or organisation.department(guessed) is not None
    return {
        "kind": case.kind,
        "subject": case.subject or _subject_id(builder, guesses.get("subject", "")),
        "department": case.department or proposed or (guessed if known else ""),
    }


def _subject_id(builder: DecisionBuilder, name: str) -> str:
    """The node of the subject tree of that id or title; empty for none. A history names subjects by either."""
    nodes = builder.rulebook.procedure.subjects
    if not nodes:
        return name
    return next((node.id for node in nodes if name and name in (node.id, node.zh, node.en)), "")
