"""Applies Kafka records, due timers and calendar changes to cases, a batch in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.sla.application.case_batch import CaseBatch, PendingAction, recalculate
from services.sla.application.identity import Actor, IdentityRegistry
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.deadlines.worktime import from_micros, to_micros
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.decide import AdvanceTime, ApplyDecision, OpenCase, TakeAction
from services.sla.domain.reports.duty_schedule import DUTY_KEY_PREFIX
from services.sla.domain.views import event_mapping
from services.sla.storage import cases as storage
from shared.contracts.actions import ACTION_DEFINITIONS, Action
from shared.contracts.events import EVENT_CLASSES
from shared.contracts.events.messages import NotificationOutcome
from shared.contracts.events.triage import Classified
from shared.contracts.topics import CASE_ACTIONS
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.process.scheduling import yield_every
from shared.runtime.timers.timers import DueTimer

RECALCULATION_BATCH_SIZE = 200
_EVENTS = frozenset(EVENT_CLASSES.values())
_DECISIONS = frozenset(cls for cls in _EVENTS if issubclass(cls, Classified))
_NOTIFICATION_OUTCOME_CLASSES = frozenset(cls for cls in _EVENTS if issubclass(cls, NotificationOutcome))


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
