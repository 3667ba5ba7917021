"""The review queue for people: lists open reviews, leases one to a person, decides on it through the actions of the case."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.sla.application.actions import ActionResult, TakeHttpActions
from services.sla.application.case_list import decode_cursor, encode_cursor, visible_cases
from services.sla.application.errors import ReviewNotOpenError, ReviewTakenError, RoleNotHeldError
from services.sla.application.identity import case_parties
from services.sla.application.queries import CaseQueries
from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.permissions import may_decide_review
from services.sla.domain.lifecycle.reviews.decisions import DECIDE_REVIEW
from services.sla.domain.views import case_view, redaction
from services.sla.domain.views.instants import to_text
from services.sla.storage.reviews import review_queue
from services.sla.storage.reviews.review_queue import QueuedReview, ReviewFilter
from shared.contracts.actions import Action, ActionData
from shared.procedures.access import Actor

_CASES_BETWEEN_YIELDS = 20


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """The rows of a page; `next_cursor` is None on the last one. A page may hold fewer rows than its limit."""

    rows: list[dict[str, Any]]
    next_cursor: str | None


class ReviewQueue:
    """Reads and decides for an actor whom the case concerns; for any other one, the accused among them, there is no such case."""

    def __init__(self, queries: CaseQueries, actions: TakeHttpActions, lease: timedelta) -> None:
        self._queries = queries
        self._actions = actions
        self._lease = lease

    async def page(self, where: ReviewFilter, cursor: str | None, limit: int, actor: Actor) -> ReviewPage:
        """A page of the open reviews, oldest first; raises `CursorError` for a cursor of another list."""
        after = None if cursor is None else decode_cursor(cursor, where)
        now = self._queries.clock.now()
        async with self._queries.database.transaction() as tx:
            found = await review_queue.load_page(tx, where, visible_cases(self._queries.policy, actor, now), after, limit)
        rows = []
        for number, review in enumerate(found, 1):
            # The statement selects by departments and handler; only the policy knows the accused.
            if self._queries.policy.may_read(actor, case_parties(review.case), now):
                rows.append(self._row(review, actor, now))
            if number % _CASES_BETWEEN_YIELDS == 0:
                await asyncio.sleep(0)
        return ReviewPage(rows, encode_cursor(found[-1].position, where) if len(found) == limit else None)

    async def take(self, case_id: str, actor: Actor) -> datetime:
        """Lease the review to the actor, or extend his lease.

        Raises `ReviewTakenError`, `ReviewNotOpenError`, or `RoleNotHeldError` for anyone who could only block the review.
        """
        now = self._queries.clock.now()
        case = await self._queries.load_visible_case(case_id, actor, now)
        roles = self._queries.policy.roles(actor, case_parties(case), now)
        if not may_decide_review(case, self._queries.rulebooks.for_case(case), roles, to_micros(now)):
            raise RoleNotHeldError("role: the actor holds none that may decide this review; leave it to somebody who does")
        async with self._queries.database.transaction() as tx:
            until = await review_queue.take(tx, case.id, actor.id, self._lease)
            if until is not None:
                return until
            if await review_queue.find_open(tx, case.id) is None:
                raise ReviewNotOpenError
        raise ReviewTakenError

    async def release(self, case_id: str, actor: Actor) -> None:
        """Give the actor's lease back; without one nothing changes. Raises `ReviewNotOpenError`."""
        case = await self._queries.load_visible_case(case_id, actor, self._queries.clock.now())
        async with self._queries.database.transaction() as tx:
            if not await review_queue.release(tx, case.id, actor.id) and await review_queue.find_open(tx, case.id) is None:
                raise ReviewNotOpenError

    async def decide(self, case_id: str, data: ActionData, role: str, actor: Actor, idempotency_key: str | None) -> ActionResult:
        """Decide on the review; raises `ReviewTakenError` while another person works on it.

        Without an open review the action decides: it repeats the answer to the same key, or is refused.
        """
        case = await self._queries.load_visible_case(case_id, actor, self._queries.clock.now())
        return await self._actions.take(Action(case=case.id, action=DECIDE_REVIEW, role=role, data=data), actor, idempotency_key)

    def _row(self, review: QueuedReview, actor: Actor, now: datetime) -> dict[str, Any]:
        queries, case = self._queries, review.case
        hidden = queries.hidden_fields(actor, case, now)
        row = case_view.case_row(case, queries.rulebooks.for_case(case), to_micros(now), queries.zone, hidden)
        return {
            **row,
            **redaction.redact({"text": case.complaint.get("text", "")}, hidden),
            "reason": review.reason,
            "suggested_department": review.suggested,
            "confidence": review.confidence,
            "opened_at": to_text(to_micros(review.opened_at), queries.zone),
            "model": review.model,
            "guesses": review.guesses,
            "taken_by": review.taken_by,
            "taken_until": None if review.taken_until is None else review.taken_until.isoformat(),
        }
