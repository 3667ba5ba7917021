"""Decides on actions sent by HTTP, under the lock of their case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

from services.sla.application.cases import UpdateCases
from services.sla.application.identity import Actor
from services.sla.domain.deadlines.worktime import from_micros, to_micros
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.decide import TakeAction
from shared.contracts.actions import ACTION_DEFINITIONS, Action
from shared.contracts.topics import PARTITIONS
from shared.runtime.database.database import Database, Transaction
from shared.runtime.dead_letters import parking
from shared.runtime.http.problem import HttpProblem
from shared.runtime.kafka.record import partition_of
from shared.runtime.kafka.watermark import Watermark

_CLAIM_IDEMPOTENCY_KEY = "INSERT INTO inbox (id, topic) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id"


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What became of an action by HTTP: its events, or that it waits in order behind what is not known yet, or that it was sent before."""

    events: list[Event]
    deferred: bool = False
    repeated: bool = False


class TakeHttpActions:
    """Actions by HTTP: decided at once under the case's lock, in order with what was due before."""

    def __init__(self, cases: UpdateCases, database: Database, watermark: Watermark, max_wait: float) -> None:
        self.cases = cases
        self.database = database
        self.watermark = watermark
        self.max_wait = max_wait

    async def take(self, action: Action, actor: Actor, idempotency_key: str | None) -> ActionResult:
        """Decide on an action; raises `HttpProblem`: 404 unknown case, 403 not his, 409 parked, 422 wrong data."""
        answer, due = await self._try(action, actor, idempotency_key, last=False)
        if answer is None and due is not None:
            await self.watermark.wait_until_passed(partition_of(action.case, PARTITIONS), due, self.max_wait)
            answer, _ = await self._try(action, actor, idempotency_key, last=True)
        return cast("ActionResult", answer)

    async def _try(
        self, action: Action, actor: Actor, idempotency_key: str | None, *, last: bool
    ) -> tuple[ActionResult | None, datetime | None]:
        async with self.database.transaction() as tx:
            if await parking.parked_keys(tx, [action.case]):
                raise HttpProblem(409, "the case is parked", "case: an earlier message of it failed; replay its dead letter first")
            caseload = self.cases.new_batch()
            await caseload.load(tx, [action.case])
            case = caseload.case(action.case)
            if case is None:
                raise HttpProblem(404, "there is no such case", "case: must be the id of a registered case")
            # Under the lock, not before: an action happens when it is accepted.
            at = caseload.now = max(self.cases.clock.now(), caseload.now)
            given = self._authorized_input(action, actor, case, at)
            due = caseload.next_due(case.id)
            early = (
                due is not None
                and due < to_micros(at)
                and not self.watermark.has_passed(partition_of(case.id, PARTITIONS), from_micros(due))
            )
            if (early or caseload.has_deferred(case.id)) and not last:
                return None, at if due is None else from_micros(due)
            if await self._repeated(tx, actor, action.case, idempotency_key):
                return ActionResult([], repeated=True), None
            if early or caseload.has_deferred(case.id):
                caseload.defer(case.id, given, at)
                await caseload.record(tx)
                return ActionResult([], deferred=True), None
            events = caseload.decide(case.id, given)
            await caseload.record(tx)
            return ActionResult(events), None

    def _authorized_input(self, action: Action, actor: Actor, case: Case, at: datetime) -> TakeAction:
        if not self.cases.identities.may_see(actor, (case.department, case.proposed, *case.cooperating)):
            raise HttpProblem(404, "there is no such case", "case: must be the id of a registered case that concerns your department")
        if action.action not in ACTION_DEFINITIONS:
            raise HttpProblem(422, "there is no such action", f"action: must be one of {', '.join(sorted(ACTION_DEFINITIONS))}")
        given = self.cases.to_action_input(action, actor, case, at)
        if given.denied:
            raise HttpProblem(422 if not given.role else 403, "the action cannot be taken", given.denied)
        return given

    async def _repeated(self, tx: Transaction, actor: Actor, case: str, key: str | None) -> bool:
        """Whether the actor has sent this action before, under the same idempotency key."""
        if key is None:
            return False
        spent = uuid5(NAMESPACE_URL, f"{actor.id}\n{case}\n{key}")
        return await tx.fetchval(_CLAIM_IDEMPOTENCY_KEY, spent, "http-actions") is None


def event_summaries(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Events as the answer to an action names them."""
    return [{"event": event.type, "at": from_micros(event.at).isoformat(), "sequence": event.sequence} for event in events]
