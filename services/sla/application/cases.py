"""What sla does: takes decisions and actions from Kafka, actions by HTTP, and carries out what is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

from services.sla.application.case_batch import CaseBatch, PendingAction, recalculate
from services.sla.application.identity import Actor, IdentityRegistry
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.deadlines.worktime import from_micros, to_micros
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.inputs import AdvanceTime, ApplyDecision, OpenCase, TakeAction
from services.sla.domain.views import event_mapping
from services.sla.storage import cases as storage
from shared.contracts.actions import ACTION_DEFINITIONS, Action
from shared.contracts.events import EVENT_CLASSES
from shared.contracts.events.messages import NotificationOutcome
from shared.contracts.events.triage import Classified
from shared.contracts.topics import CASE_ACTIONS, PARTITIONS
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction
from shared.runtime.dead_letters import parking
from shared.runtime.errors import Rejected
from shared.runtime.http.problem import HttpProblem
from shared.runtime.kafka.record import ReceivedRecord, partition_of
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.process.scheduling import yield_every
from shared.runtime.timers.timers import DueTimer

RECALCULATION_BATCH_SIZE = 200
DUTY_KEY_PREFIX = "duty:"
"""Begins the key of what a procedure does without a case."""
_EVENTS = frozenset(EVENT_CLASSES.values())
_DECISIONS = frozenset(cls for cls in _EVENTS if issubclass(cls, Classified))
_NOTIFICATION_OUTCOME_CLASSES = frozenset(cls for cls in _EVENTS if issubclass(cls, NotificationOutcome))
_CLAIM_IDEMPOTENCY_KEY = "INSERT INTO inbox (id, topic) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id"


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What became of an action by HTTP: its events, or that it waits in order behind what is not known yet, or that it was sent before."""

    events: list[Event]
    deferred: bool = False
    repeated: bool = False


class UpdateCases:
    """Everything that changes a case goes through here, a transaction at a time."""

    def __init__(self, rulebooks: RulebookRegistry, identities: IdentityRegistry, clock: Clock) -> None:
        self.rulebooks = rulebooks
        self.identities = identities
        self.clock = clock

    def new_batch(self) -> CaseBatch:
        """An empty desk, at the present instant."""
        return CaseBatch(self.rulebooks, self.clock.now(), self.resolve_pending)

    async def apply_batch(self, tx: Transaction, batch: Sequence[ReceivedRecord], watermark: Watermark) -> None:
        """Apply a batch of triage's decisions, actions and news of messages, in the order in which they happened."""
        ordered = sorted(batch, key=lambda received: received.recorded_at)
        caseload = self.new_batch()
        await caseload.load(tx, [received.key for received in ordered])
        async for received in yield_every(ordered):
            self._apply(caseload, received, watermark)
        await caseload.record(tx)

    async def fire_timers(self, tx: Transaction, due: Sequence[DueTimer]) -> None:
        """Carry out what is due, and the inputs that waited for it; every case is armed again."""
        caseload = self.new_batch()
        await caseload.load(tx, [each.case_id for each in due])
        for each in due:
            upto = to_micros(each.cutoff)
            caseload.changed_ids.add(each.case_id)
            caseload.apply_deferred(each.case_id, upto)
            first = caseload.next_due(each.case_id)
            if first is not None and first <= upto:
                caseload.decide(each.case_id, AdvanceTime(upto))
        await caseload.record(tx)

    async def recalculate_outdated(self, database: Database) -> int:
        """Count the deadlines of some open cases again whose calendars have changed; gives how many there were."""
        async with database.transaction() as tx:
            names = await storage.lock_outdated_cases(tx, self.rulebooks.calendar_stamp, RECALCULATION_BATCH_SIZE)
            caseload = self.new_batch()
            await caseload.load(tx, names)
            for name in names:
                recalculate(caseload, name)
            await caseload.record(tx)
        return len(names)

    def _apply(self, caseload: CaseBatch, received: ReceivedRecord, watermark: Watermark) -> None:
        name = received.key
        if name.startswith(DUTY_KEY_PREFIX):  # news of a message about a procedure's own duty: there is no case
            return
        case = caseload.case(name)
        given = self._input(received, case)
        if isinstance(given, OpenCase):
            if case is None:  # a second opening is triage's repetition under another id: the first one counts
                caseload.decide(name, given, received.traceparent)
                caseload.apply_deferred(name)
            return
        due = caseload.next_due(name)
        early = due is not None and due < to_micros(received.recorded_at) and not watermark.has_passed(received.partition, from_micros(due))
        if case is None or early or isinstance(given, PendingAction) or caseload.has_deferred(name):
            caseload.defer(name, given, received.recorded_at)
        else:
            caseload.decide(name, given, received.traceparent)

    def _input(self, received: ReceivedRecord, case: Case | None) -> OpenCase | TakeAction | ApplyDecision | PendingAction:
        event, cls = received.event, type(received.event)  # asking a model's class about an instance of another takes pydantic a while
        if cls is Action:
            return self._action(received, event, case)
        if cls not in _EVENTS:
            raise Rejected(f"{received.type} is no event that sla takes")
        if event.case != received.key:
            raise Rejected("the record's key is not the case that its body names: send it with the case as key")
        if cls in _DECISIONS and event.registered is not None:
            return event_mapping.to_open_case(
                event, self.rulebooks.get(event.procedure, event.version, event.registered.parameters).procedure
            )
        cause = "message" if cls in _NOTIFICATION_OUTCOME_CLASSES else "triage"
        at = to_micros(received.recorded_at)
        if case is None:
            return ApplyDecision(event.type, at, event_mapping.untyped_event_fields(event), cause)
        return event_mapping.to_apply_decision(event, at, self.rulebooks.for_case(case).procedure, cause)

    def _action(self, received: ReceivedRecord, action: Action, case: Case | None) -> TakeAction | PendingAction:
        if received.topic != CASE_ACTIONS.name or action.case != received.key:
            raise Rejected("the record's key is not the case that its action names: send it with the case as key", park=False)
        if action.action not in ACTION_DEFINITIONS:
            raise Rejected(f"there is no action {action.action}; actions are {', '.join(sorted(ACTION_DEFINITIONS))}", park=False)
        actor = self.identities.verify_signature(received.topic, received.key, str(received.id), received.body, received.headers)
        if actor is None:
            raise Rejected("the action is not signed by anybody whom the organisation knows", park=False)
        if case is None:
            return PendingAction(
                action.model_dump(mode="json", by_alias=True, exclude_unset=True), actor.id, to_micros(received.recorded_at)
            )
        return self.to_action_input(action, actor, case, received.recorded_at)

    def resolve_pending(self, pending: PendingAction, case: Case) -> TakeAction:
        """An action that was asked for before its case was known."""
        return self.to_action_input(
            Action.model_validate(pending.action), self.identities.actor_by_id(pending.actor), case, from_micros(pending.at)
        )

    def to_action_input(self, action: Action, actor: Actor, case: Case, at: datetime) -> TakeAction:
        """An action as the core takes it, in a role that the actor holds; where he holds none such, it will be refused."""
        held = actor.roles(self.identities.organisation, case.department or case.proposed, at)
        role = action.role or (held[0] if len(held) == 1 else "")
        denied = ""
        if role and role not in held:
            denied = f"role: the actor does not hold {role} on this case; he holds {', '.join(held) or 'none'}"
        elif not role:
            denied = f"role is missing: the actor holds {', '.join(held) or 'none'}; name the one that acts"
        procedure = self.rulebooks.for_case(case).procedure
        return event_mapping.to_take_action(action.action, to_micros(at), (role, actor.id), action.data, procedure, denied)


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
