"""Applies Kafka records, due timers and calendar changes to cases, a batch in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.sla.application.case_batch import CaseBatch, recalculate
from services.sla.application.deferral.stored_form import PendingAction
from services.sla.application.identity import IdentityRegistry, case_parties
from services.sla.application.keeping.sealed_contacts import SealedContacts
from services.sla.application.linked_cases import linked_case
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.deadlines.worktime import from_micros, to_micros
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.inputs import AdvanceTime, ApplyDecision, OpenCase, TakeAction
from services.sla.domain.reports.duty_schedule import DUTY_KEY_PREFIX
from services.sla.domain.views import event_mapping
from services.sla.storage import cases as storage
from shared.contracts.actions import ACTION_DEFINITIONS, Action
from shared.contracts.attachments import AttachmentKeys
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.notifications import NotificationOutcome
from shared.contracts.events.triage import Classified, Routed, RouteProposed
from shared.contracts.events.up_to_approval import Reassigned
from shared.contracts.follow_codes import follow_code, lookup_key
from shared.contracts.topics import CASE_ACTIONS, PARTITIONS
from shared.procedures.access import Actor
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.procedure_error import ProcedureError
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.timers.timers import DueTimer
from shared.runtime.tracing.linked_traces import LinkedTraces
from shared.runtime.tracing.spans import Tracing

RECALCULATION_BATCH_SIZE = 200


class UpdateCases:
    """Changes cases: for records, due timers and calendar changes, and for `TakeHttpActions`."""

    def __init__(
        self,
        rulebooks: RulebookRegistry,
        identities: IdentityRegistry,
        clock: Clock,
        follow_key: bytes | None = None,
        attachment_keys: AttachmentKeys | None = None,
        tracing: Tracing | None = None,
        partitions: int = PARTITIONS,
        contacts: SealedContacts | None = None,
    ) -> None:
        self._contacts = contacts
        self.partitions = partitions
        self._tracing = tracing or Tracing("sla")
        self.follow_key = follow_key
        self.attachment_keys = attachment_keys
        self.rulebooks = rulebooks
        self.identities = identities
        self.clock = clock

    def new_batch(self) -> CaseBatch:
        """An empty batch at the present instant."""
        now, traces = self.clock.now(), LinkedTraces(self._tracing)
        return CaseBatch(self.rulebooks, now, self.resolve_pending, partitions=self.partitions, traces=traces)

    async def apply_batch(self, tx: Transaction, records: Sequence[ReceivedRecord], watermark: Watermark) -> None:
        """Apply records of triage-events, case-actions and notification-events in the order in which they were recorded."""
        # A batch holds records of three topics; the broker's timestamps give the order of those of one case.
        ordered = sorted(records, key=lambda record: record.recorded_at)
        batch = self.new_batch()
        await batch.load(tx, [record.key for record in ordered], [linked_case(record.event) for record in ordered])
        for record in ordered:
            self._apply_record(batch, record, watermark)
        await batch.record(tx)

    async def fire_timers(self, tx: Transaction, timers: Sequence[DueTimer]) -> None:
        """Process what is due up to each timer's cutoff, and the deferred inputs that waited for it; `record` arms the cases again."""
        batch = self.new_batch()
        await batch.load(tx, [timer.case_id for timer in timers])
        for timer in timers:
            cutoff = to_micros(timer.cutoff)
            batch.changed_ids.add(timer.case_id)
            batch.apply_deferred(timer.case_id, cutoff)
            due = batch.next_due(timer.case_id)
            if due is not None and due <= cutoff:
                batch.decide(timer.case_id, AdvanceTime(cutoff), timer.traceparent)
        await batch.record(tx)

    async def recalculate_outdated(self, database: Database) -> int:
        """Recalculate the deadlines of up to `RECALCULATION_BATCH_SIZE` cases with older calendars; returns how many there were."""
        async with database.transaction() as tx:
            outdated_stamps = await self.rulebooks.outdated_stamps(tx)
            case_ids = await storage.lock_outdated_cases(tx, outdated_stamps, RECALCULATION_BATCH_SIZE)
            batch = self.new_batch()
            await batch.load(tx, case_ids)
            for case_id in case_ids:
                recalculate(batch, case_id)
            await batch.record(tx)
        return len(case_ids)

    def resolve_pending(self, pending: PendingAction, case: Case) -> TakeAction:
        """The input of an action that was deferred before its case was registered."""
        action, actor = Action.model_validate(pending.action), self.identities.actor_by_id(pending.actor)
        return self.to_action_input(action, actor, case, from_micros(pending.at))

    def to_action_input(self, action: Action, actor: Actor, case: Case, at: datetime) -> TakeAction:
        """The input of an action; its field `denied` gives the reason if the actor does not hold the role."""
        held_roles = self.identities.policy.roles(actor, case_parties(case), at)
        role = action.role or (held_roles[0] if len(held_roles) == 1 else "")
        denied = ""
        if role and role not in held_roles:
            denied = f"role: the actor does not hold {role} on this case; held: {', '.join(held_roles) or 'none'}"
        elif not role:
            denied = f"role is missing: name the one that acts; held: {', '.join(held_roles) or 'none'}"
        procedure = self.rulebooks.for_case(case).procedure
        denied = denied or self.attachment_fault(action)
        return event_mapping.to_take_action(action.action, to_micros(at), (role, actor.id), action.data, procedure, denied)

    def attachment_fault(self, action: Action) -> str:
        """Faults of the stored attachments that an action names; empty for none."""
        if self.attachment_keys is None or not self.attachment_keys.invalid_references(action.data.attachments):
            return ""
        return "attachments: a stored file is named by the reference that its upload was answered with; upload it and send that"

    def _apply_record(self, batch: CaseBatch, record: ReceivedRecord, watermark: Watermark) -> None:
        case_id = record.key
        if case_id.startswith(DUTY_KEY_PREFIX):  # the outcome of a duty's notification: a duty has no case
            return
        case = batch.case(case_id)
        case_input = self._to_input(record, case)
        if isinstance(case_input, OpenCase):
            if case is None:  # triage repeated its first decision under another event id: the first one counts
                batch.decide(case_id, case_input, record.traceparent)
                if self.follow_key is not None:
                    batch.stored_cases[case_id].person_keys += (lookup_key(follow_code(self.follow_key, case_id)),)
                if self._contacts is not None:
                    batch.stored_cases[case_id].person_keys += self._contacts.name_keys(case_id, case_input.complaint)
                batch.apply_deferred(case_id)
            return
        due = batch.next_due(case_id)
        # An earlier deadline may still be met by a record that has not been read yet, so it cannot be decided on now.
        is_early = due is not None and due < to_micros(record.recorded_at) and not watermark.has_passed(record.partition, from_micros(due))
        if case is None or is_early or isinstance(case_input, PendingAction) or batch.has_deferred(case_id):
            batch.defer(case_id, case_input, record.recorded_at, record.traceparent)
        else:
            batch.decide(case_id, case_input, record.traceparent)

    def _to_input(self, record: ReceivedRecord, case: Case | None) -> OpenCase | TakeAction | ApplyDecision | PendingAction:
        event = record.event
        if isinstance(event, Action):
            return self._action_input(record, event, case)
        if not isinstance(event, CaseEvent):
            raise Rejected(f"{record.type} is not an event type that sla processes")
        if isinstance(event, Routed | Reassigned | RouteProposed) and not event.department:
            raise Rejected(f"{record.type} names no department: send the one that is responsible")
        if isinstance(event, Classified) and event.registered is not None:
            return event_mapping.to_open_case(event, self._installed_procedure(event, event.registered.parameters))
        # What comes by Kafka happens at the broker's timestamp, which is the same when the record is read again.
        cause = "message" if isinstance(event, NotificationOutcome) else "triage"
        at = to_micros(record.recorded_at)
        if case is None:
            return ApplyDecision(event.type, at, event_mapping.untyped_event_fields(event), cause)
        return event_mapping.to_apply_decision(event, at, self.rulebooks.for_case(case).procedure, cause)

    def _installed_procedure(self, event: Classified, parameters: dict[str, Any]) -> Procedure:
        """The procedure of a new case; raises Rejected where this process has none of that id and version, or not with these parameters."""
        try:
            return self.rulebooks.get(event.procedure, event.version, parameters).procedure
        except ProcedureError as error:
            raise Rejected(f"procedure {event.procedure[:100]}@{event.version} cannot be used here: is it installed?") from error

    def _action_input(self, record: ReceivedRecord, action: Action, case: Case | None) -> TakeAction | PendingAction:
        # park=False, here and below: whoever has a key could otherwise shut a case for everyone by a bad action.
        if record.topic != CASE_ACTIONS.name or action.case != record.key:
            raise Rejected("the record's key is not the case that its action names: send it with the case as key", park=False)
        if action.action not in ACTION_DEFINITIONS:
            raise Rejected(f"there is no action {action.action}; actions are {', '.join(sorted(ACTION_DEFINITIONS))}", park=False)
        # From the signing key, never from the body: whoever may write to the topic could claim to be the executive (ADR 12).
        actor = self.identities.signer(record.headers)
        if case is None:
            fields = action.model_dump(mode="json", by_alias=True, exclude_unset=True)
            return PendingAction(fields, actor.id, to_micros(record.recorded_at))
        return self.to_action_input(action, actor, case, record.recorded_at)
