"""The rows of table `review` that a batch of decisions opens and ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from services.sla.domain.deadlines.worktime import from_micros
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.reviews.judgement import judged_guesses, lowest_confidence
from services.sla.domain.lifecycle.reviews.records import REVIEW_DECIDED, first_guesses
from services.sla.storage.reviews.review_queue import EndedReview, OpenedReview
from shared.procedures.model.procedure import Procedure

OVERTAKEN = "overtaken"
"""Outcome of a review that a person's route or the end of the case answered: no decision, and nothing to learn from."""


@dataclass(slots=True)
class ReviewChanges:
    """Reviews that were opened, and those that ended, in the order of the decisions."""

    opened: list[OpenedReview] = field(default_factory=list)
    ended: list[EndedReview] = field(default_factory=list)

    def follow(self, before: Case | None, after: Case, events: Sequence[Event], procedure: Procedure) -> None:
        """Note what a decision changes of the case's review."""
        old = {} if before is None else before.review
        if old is after.review or old == after.review:
            return
        if old:
            self.ended.append(_ended(after, old["sequence"], events, procedure))
        if after.review:
            self.opened.append(_opened(after, events))


def _opened(case: Case, events: Sequence[Event]) -> OpenedReview:
    review = case.review
    guesses = first_guesses(review)
    guessed = str(guesses["department"]["value"]) if "department" in guesses else ""
    at = next(event.at for event in events if event.sequence == review["sequence"])
    return OpenedReview(
        case_id=case.id,
        opened_by=review["sequence"],
        reason=review["reason"],
        suggested=case.department or guessed or case.proposed,
        confidence=lowest_confidence(review),
        opened_at=from_micros(at),
        model=review["model"],
        guesses=orjson.dumps(review["guesses"]).decode(),
    )


def _ended(case: Case, sequence: int, events: Sequence[Event], procedure: Procedure) -> EndedReview:
    decided = next((event for event in events if event.type == REVIEW_DECIDED), None)
    if decided is None:
        return EndedReview(case.id, sequence, from_micros(events[-1].at), "", OVERTAKEN, "{}", "[]", agreed=None)
    data = decided.data
    checks = judged_guesses(data, procedure)
    labels = {name: data[name] for name in ("kind", "subject", "department") if data.get(name)} | data.get("labels", {})
    return EndedReview(
        case_id=case.id,
        opened_by=sequence,
        ended_at=from_micros(decided.at),
        decided_by=data.get("actor", ""),
        outcome=data.get("outcome", ""),
        labels=orjson.dumps(labels).decode(),
        checks=orjson.dumps(checks).decode(),
        agreed=all(check["right"] for check in checks) if checks else None,
    )
