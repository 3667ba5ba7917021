"""Decides on actions sent by HTTP, under the lock of their case."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from hashlib import sha256
from typing import Any

import orjson

from services.sla.application.case_batch import CaseBatch
from services.sla.application.cases import UpdateCases
from services.sla.application.errors import (
    ActionInProgressError,
    ActionNotFoundError,
    AttachmentReferenceError,
    CaseNotFoundError,
    CaseParkedError,
    KeyReusedError,
    ReviewTakenError,
    RoleMissingError,
    RoleNotHeldError,
)
from services.sla.application.identity import case_parties
from services.sla.application.linked_cases import linked_case
from services.sla.domain.deadlines.worktime import from_micros, to_micros
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.inputs import TakeAction
from services.sla.domain.lifecycle.reviews.decisions import DECIDE_REVIEW
from services.sla.domain.views.instants import to_text
from services.sla.storage import idempotency
from services.sla.storage.idempotency import ClaimedKey
from services.sla.storage.ledgers import NewLedgerEntry
from services.sla.storage.reviews import review_queue
from shared.contracts.actions import ACTION_DEFINITIONS, Action
from shared.procedures.access import Actor
from shared.runtime.database.database import Database, Transaction
from shared.runtime.dead_letters import parking
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.tracing.context import current_traceparent


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The events of an action; `deferred` if earlier deadlines have to be processed first, `repeated` if its key was used before.

    A repeated result is the first one as it was stored; of the events' data it has `reason` and `clause` of a refusal.
    """

    events: Sequence[Event] = ()
    deferred: bool = False
    repeated: bool = False

    def to_json(self) -> bytes:
        """The result as it is stored with its key."""
        events = [
            (event.type, event.at, event.sequence, {name: event.data[name] for name in ("reason", "clause") if name in event.data})
            for event in self.events
        ]
        return orjson.dumps({"events": events, "deferred": self.deferred})

    @classmethod
    def from_json(cls, stored: bytes) -> ActionResult:
        """The result that was stored, as a repeated one."""
        fields = orjson.loads(stored)
        return cls([Event(*event) for event in fields["events"]], fields["deferred"], repeated=True)


class _UnreadInputError(Exception):
    """Deadlines due before the action cannot be decided on until the input has been read past `instant`."""

    def __init__(self, instant: datetime) -> None:
        super().__init__()
        self.instant = instant


class TakeHttpActions:
    """Decides on an action at once if the input has been read far enough, else after at most `max_wait` real seconds, else defers it."""

    def __init__(self, cases: UpdateCases, database: Database, watermark: Watermark, max_wait: float) -> None:
        self.cases = cases
        self.database = database
        self.watermark = watermark
        self.max_wait = max_wait

    async def take(self, action: Action, actor: Actor, idempotency_key: str | None) -> ActionResult:
        """Decide on an action; raises a `RequestError`. An action that the procedure refuses results in the event `action_refused`.

        The same action again under the same key has the result of the first one.
        """
        if idempotency_key is None:
            return await self._decide_when_read(action, actor, None)
        async with self.database.transaction() as tx:
            key = await idempotency.claim_key(tx, actor.id, action.case, idempotency_key, _fingerprint(action))
        if isinstance(key, ClaimedKey):
            async with self._released_unless_done(key):
                return await self._decide_when_read(action, actor, key)
        if not key.same_request:
            raise KeyReusedError
        if key.answer is None:
            raise ActionInProgressError
        return ActionResult.from_json(key.answer)

    async def decide_only(self, action: Action, actor: Actor) -> Sequence[NewLedgerEntry]:
        """The events that the action would record if taken now; nothing is recorded. Raises a `RequestError`."""
        async with self.database.transaction() as tx:
            batch, case = await self._load(tx, action)
            at = batch.now = max(self.cases.clock.now(), batch.now)
            case_input = self._authorized_input(action, actor, case, at)
            self._hide_unreadable_link(batch, action, actor, at)
            batch.decide(case.id, case_input)
        return batch.new_entries

    @asynccontextmanager
    async def _released_unless_done(self, key: ClaimedKey) -> AsyncIterator[None]:
        done = False
        try:
            yield
            done = True
        finally:
            if not done:
                async with self.database.transaction() as tx:
                    await idempotency.release_key(tx, key)

    async def _decide_when_read(self, action: Action, actor: Actor, key: ClaimedKey | None) -> ActionResult:
        try:
            return await self._decide_or_defer(action, actor, key, may_defer=False)
        except _UnreadInputError as unread:
            # The transaction is over: no lock is held while waiting for the broker.
            await self.watermark.wait_until_passed(partition_of(action.case, self.cases.partitions), unread.instant, self.max_wait)
        return await self._decide_or_defer(action, actor, key, may_defer=True)

    async def _decide_or_defer(self, action: Action, actor: Actor, key: ClaimedKey | None, *, may_defer: bool) -> ActionResult:
        async with self.database.transaction() as tx:
            batch, case = await self._load(tx, action)
            # Read under the lock: an action happens when it is accepted (docs/reference/time.md).
            at = batch.now = max(self.cases.clock.now(), batch.now)
            case_input = self._authorized_input(action, actor, case, at)
            if action.action == DECIDE_REVIEW:
                await _require_free_review(tx, case.id, actor)
            self._hide_unreadable_link(batch, action, actor, at)
            must_wait = self._has_unread_input(batch, case.id, at) or batch.has_deferred(case.id)
            if must_wait and not may_defer:
                due = batch.next_due(case.id)
                raise _UnreadInputError(at if due is None else from_micros(due))
            if must_wait:
                batch.defer(case.id, case_input, at, current_traceparent())
                result = ActionResult(deferred=True)
            else:
                result = ActionResult(batch.decide(case.id, case_input, current_traceparent()))
            await batch.record(tx)
            if key is not None and not await idempotency.store_answer(tx, key, result.to_json()):
                raise ActionInProgressError  # another request took the claim over: this transaction is rolled back
        return result

    async def _load(self, tx: Transaction, action: Action) -> tuple[CaseBatch, Case]:
        case_id = action.case
        if await parking.parked_keys(tx, [case_id]):
            raise CaseParkedError
        batch = self.cases.new_batch()
        await batch.load(tx, [case_id], [linked_case(action)])
        case = batch.case(case_id)
        if case is None:
            raise CaseNotFoundError
        return batch, case

    def _has_unread_input(self, batch: CaseBatch, case_id: str, at: datetime) -> bool:
        """Whether a deadline before `at` may still be met by a record that has not been read."""
        due, partition = batch.next_due(case_id), partition_of(case_id, self.cases.partitions)
        return due is not None and due < to_micros(at) and not self.watermark.has_passed(partition, from_micros(due))

    def _hide_unreadable_link(self, batch: CaseBatch, action: Action, actor: Actor, at: datetime) -> None:
        """Let a link to a case that does not concern the actor be answered like one to a case that does not exist."""
        linked = batch.linked_cases.get(linked_case(action))
        if linked is not None and not self.cases.identities.policy.may_act(actor, case_parties(linked), at):
            del batch.linked_cases[linked.id]

    def _authorized_input(self, action: Action, actor: Actor, case: Case, at: datetime) -> TakeAction:
        if not self.cases.identities.policy.may_act(actor, case_parties(case), at):
            raise CaseNotFoundError
        if action.action not in ACTION_DEFINITIONS:
            raise ActionNotFoundError(f"action: must be one of {', '.join(sorted(ACTION_DEFINITIONS))}")
        if fault := self.cases.attachment_fault(action):
            raise AttachmentReferenceError(fault)
        case_input = self.cases.to_action_input(action, actor, case, at)
        if case_input.denied:
            raise (RoleNotHeldError if case_input.role else RoleMissingError)(case_input.denied)
        return case_input


async def _require_free_review(tx: Transaction, case_id: str, actor: Actor) -> None:
    review = await review_queue.find_open(tx, case_id)
    if review is not None and review.person not in ("", actor.id):
        raise ReviewTakenError


def event_summaries(events: Sequence[Event], zone: tzinfo) -> list[dict[str, Any]]:
    """Type, instant in the zone and number of each event, for the answer to an action."""
    return [{"event": event.type, "at": to_text(event.at, zone), "sequence": event.sequence} for event in events]


def _fingerprint(action: Action) -> bytes:
    """The request in a canonical form, independent of the order and white space of its JSON."""
    fields = action.model_dump(mode="json", by_alias=True)
    return sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).digest()
