"""A batch of cases in one transaction: loads the cases, decides on each input, and records the new states and events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from services.sla import metrics
from services.sla.application.deferral.stored_form import DeferrableInput, PendingAction, deserialize, serialize
from services.sla.application.errors import EventTooLargeError
from services.sla.application.event_messages import EventContext, departments_of, messages_of
from services.sla.application.linked_cases import case_linked_by_deferred, load_linked_cases
from services.sla.application.reviews.review_changes import ReviewChanges
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.deadlines.worktime import from_micros, to_micros
from services.sla.domain.evidence import hash_chain
from services.sla.domain.evidence.hash_chain import LedgerEntry
from services.sla.domain.evidence.recorded_events import input_origin
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.decide import decide
from services.sla.domain.lifecycle.inputs import ApplyDecision, CaseInput, OpenCase, Recalculate, TakeAction
from services.sla.domain.lifecycle.links.resolution import resolve_link
from services.sla.domain.reports.event_figures import figures_of
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views import event_mapping
from services.sla.storage import cases, decision_contexts, deferred_inputs, duties, ledgers
from services.sla.storage.cases import StoredCase
from services.sla.storage.decision_contexts import StoredDecisionContext
from services.sla.storage.deferred_inputs import DeferredInput, NewDeferredInput
from services.sla.storage.figures.tallies import TallyKey, add_tallies
from services.sla.storage.ledgers import NewLedgerEntry
from services.sla.storage.reviews import review_queue
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.topics import PARTITIONS
from shared.runtime.database.database import Transaction
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.outbox import outbox
from shared.runtime.timers import timers
from shared.runtime.tracing.context import Activity, working_on
from shared.runtime.tracing.linked_traces import LinkedTraces
from shared.runtime.tracing.spans import Tracing

log = structlog.get_logger(__name__)
ResolvePending = Callable[[PendingAction, Case], TakeAction]
"""Makes the input of a pending action once its case is registered."""


@dataclass(slots=True)
class CaseBatch:
    """The cases of one transaction; nothing is written before `record`."""

    rulebooks: RulebookRegistry
    now: datetime
    resolve_pending: ResolvePending
    stored_cases: dict[str, StoredCase] = field(default_factory=dict)
    linked_cases: dict[str, Case] = field(default_factory=dict)
    deferred: dict[str, list[DeferredInput]] = field(default_factory=dict)
    new_entries: list[NewLedgerEntry] = field(default_factory=list)
    messages: list[CloudEventRecord] = field(default_factory=list)
    woken: dict[str, datetime] = field(default_factory=dict)
    newly_deferred: list[NewDeferredInput] = field(default_factory=list)
    deferred_since: dict[str, datetime] = field(default_factory=dict)
    applied_input_ids: list[int] = field(default_factory=list)
    changed_ids: set[str] = field(default_factory=set)
    opened_procedures: set[str] = field(default_factory=set)
    failed_conditions: list[tuple[Case, tuple[str, ...], str | None]] = field(default_factory=list)
    reviews: ReviewChanges = field(default_factory=ReviewChanges)
    tallies: list[TallyKey] = field(default_factory=list)
    traceparents: dict[str, str | None] = field(default_factory=dict)
    """Of the last input of each case, which arms its timer."""
    partitions: int = PARTITIONS
    """Of the topics of cases: a timer fires in the process that owns its case's partition."""
    traces: LinkedTraces = field(default_factory=lambda: LinkedTraces(Tracing("sla")))

    async def load(self, tx: Transaction, ids: list[str], linked_ids: Iterable[str] = ()) -> None:
        """Lock the cases and read their deferred inputs, and read the cases that their inputs link to."""
        self.stored_cases = await cases.load_cases(tx, ids)
        await self.rulebooks.adopt_newer_calendars(tx, {stored.calendar_stamp for stored in self.stored_cases.values() if stored.case})
        self.deferred = await deferred_inputs.load_deferred(tx, ids)
        linked_by_deferred = [case_linked_by_deferred(each.input) for inputs in self.deferred.values() for each in inputs]
        self.linked_cases = await load_linked_cases(tx, [*linked_ids, *linked_by_deferred])

    def case(self, case_id: str) -> Case | None:
        """The case in its present state; None if it is not registered."""
        return self.stored_cases[case_id].case

    def _find_linked(self, case_id: str) -> Case | None:
        stored = self.stored_cases.get(case_id)
        return self.linked_cases.get(case_id) if stored is None else stored.case

    def next_due(self, case_id: str) -> int | None:
        """The case's next due instant in microseconds; None if nothing is due, or for an unknown case."""
        return self.stored_cases[case_id].next_due

    def decide(self, case_id: str, case_input: CaseInput, traceparent: str | None = None) -> list[Event]:
        """Decide on an input, keep the new state and the events for `record`, and return the events.

        An action whose event no message can carry is refused; for another input `EventTooLargeError` is raised.
        """
        stored = self.stored_cases[case_id]
        case_input = resolve_link(stored.case, case_input, self._find_linked)
        before = replace(stored), len(self.new_entries), len(self.messages), len(self.tallies)
        try:
            return self._decide(stored, case_id, case_input, traceparent)
        except EventTooLargeError as error:
            if not isinstance(case_input, TakeAction):
                raise
            # A failing record would park the case: one person could shut out everybody who works on it.
            self.stored_cases[case_id], entries, messages, tallied = before
            del self.new_entries[entries:], self.messages[messages:], self.tallies[tallied:]
            refused = replace(case_input, data={}, denied=f"data: {error}; send less with the action")
            return self._decide(self.stored_cases[case_id], case_id, refused, traceparent)

    def _decide(self, stored: StoredCase, case_id: str, case_input: CaseInput, traceparent: str | None) -> list[Event]:
        rulebook = self._rulebook(stored.case, case_input)
        # The broker's clock may be ahead of ours: an input is never decided on before it happened.
        now = max(to_micros(self.now), getattr(case_input, "at", 0), getattr(case_input, "registered_at", 0))
        before, departments_before = stored.case, departments_of(stored.case)
        decision = decide(stored.case, case_input, rulebook, now)
        stored.case, stored.next_due = decision.case, decision.next_due
        # Not for other inputs: a case acted on after a change of calendar would count as recalculated, and keep its old deadlines.
        if isinstance(case_input, (OpenCase, Recalculate)):
            stored.calendar_stamp = self.rulebooks.calendar_stamp
        if isinstance(case_input, OpenCase):
            self.opened_procedures.add(case_input.procedure)
            stored.person_keys = tuple(case_input.registered.get("complainant_keys", ()))
        self.changed_ids.add(case_id)
        self.traceparents[case_id] = traceparent
        context = EventContext(
            case=decision.case,
            rulebook=rulebook,
            worktime=rulebook.worktime_for(decision.case.department),
            # A department that loses the case also receives the event by which it loses it.
            departments=tuple(dict.fromkeys((*departments_of(decision.case), *departments_before))),
            context_stamp=self.rulebooks.decision_context.stamp,
            traceparent=traceparent,
        )
        origin = input_origin(case_input)
        for event in decision.events:
            self._append_event(stored, event, context, origin)
            origin = ""  # only the first event of a decision carries it: that is where a replay starts the next decision
        self.reviews.follow(before, decision.case, decision.events, rulebook.procedure)
        if decision.failed_conditions:
            self.failed_conditions.append((decision.case, decision.failed_conditions, traceparent))
        for other, message in decision.messages:
            self._send(other, message, traceparent)
        return decision.events

    def _send(self, case_id: str, message: ApplyDecision, traceparent: str | None) -> None:
        """Store the input for a lead or a duplicate, which decides on it under its own lock."""
        at = from_micros(message.at)
        self.newly_deferred.append(NewDeferredInput(case_id, at, serialize(message, traceparent)))
        self.traceparents.setdefault(case_id, traceparent)
        self.deferred_since[case_id] = self.woken[case_id] = min(at, self.deferred_since.get(case_id, at))

    def defer(self, case_id: str, case_input: DeferrableInput, at: datetime, traceparent: str | None = None) -> None:
        """Store an input until its case is registered, or until earlier deadlines have been processed."""
        self.newly_deferred.append(NewDeferredInput(case_id, at, serialize(case_input, traceparent)))
        self.traceparents.setdefault(case_id, traceparent)
        self.deferred_since.setdefault(case_id, at)
        self.changed_ids.add(case_id)

    def apply_deferred(self, case_id: str, cutoff: int | None = None) -> None:
        """Decide on the case's deferred inputs, in order.

        With a `cutoff` (microseconds) up to which everything is known, it stops before the first input that is later than a deadline
        beyond the cutoff: whether that deadline was met is not known yet.
        """
        remaining = self.deferred.pop(case_id, [])
        while remaining:
            case, due = self.case(case_id), self.next_due(case_id)
            if case is None or (cutoff is not None and due is not None and cutoff < due < to_micros(remaining[0].at)):
                self.deferred[case_id] = remaining
                return
            deferred = remaining.pop(0)
            case_input = deserialize(deferred.input)
            traceparent = self.traces.start("apply deferred input", deferred.input.get("traceparent"), {"jiesu.case": case_id})
            self.decide(
                case_id, self.resolve_pending(case_input, case) if isinstance(case_input, PendingAction) else case_input, traceparent
            )
            self.applied_input_ids.append(deferred.id)

    def has_deferred(self, case_id: str) -> bool:
        """Whether inputs of the case are deferred, so that later ones have to be deferred too."""
        return bool(self.deferred.get(case_id)) or case_id in self.deferred_since

    async def record(self, tx: Transaction) -> None:
        """Write cases, ledger, deferred inputs, timers and outbox."""
        changed = {case_id: stored for case_id, stored in sorted(self.stored_cases.items()) if stored.case and case_id in self.changed_ids}
        await cases.save_cases(tx, list(changed.values()))
        await self._store_decision_context(tx)
        await self._start_duties(tx)
        await review_queue.save_changes(tx, self.reviews.opened, self.reviews.ended)
        await ledgers.append_entries(tx, self.new_entries)
        await add_tallies(tx, self.tallies)
        await deferred_inputs.delete_deferred(tx, self.applied_input_ids)
        await deferred_inputs.insert_deferred(tx, self.newly_deferred)
        # Cases were locked before their timers, as the timer loop does: the other order could deadlock with it.
        next_timers = {case_id: (partition_of(case_id, self.partitions), self._next_timer(case_id)) for case_id in changed}
        await timers.arm(tx, next_timers, self.traceparents)
        woken = {case_id: (partition_of(case_id, self.partitions), at) for case_id, at in self.woken.items() if case_id not in changed}
        await cases.lock_waiting(tx, sorted(woken))
        await timers.arm_earlier(tx, woken, self.traceparents)
        await outbox.add(tx, self.messages)
        events = [entry.fields for entry in self.new_entries]
        # After the commit: a batch that is rolled back and retried would be counted twice.
        tx.after_commit(lambda: metrics.count_events(events))
        tx.after_commit(self.traces.end)
        if self.failed_conditions:
            tx.after_commit(self._report_failed_conditions)

    def _report_failed_conditions(self) -> None:
        """Count and log the entries that did not apply; expressions are the procedure's, so that no value of a case is logged."""
        for case, conditions, traceparent in self.failed_conditions:
            metrics.FAILED_CONDITIONS_TOTAL.labels(case.procedure).inc()
            about = {"case": case.id, "procedure": case.procedure, "version": case.version, "conditions": list(conditions)}
            with working_on(Activity(traceparent, case.id)):
                log.warning(
                    "conditions cannot be evaluated on a case: their entries did not apply; correct the fact or the procedure", **about
                )

    def _rulebook(self, case: Case | None, case_input: CaseInput) -> Rulebook:
        if isinstance(case_input, OpenCase):
            return self.rulebooks.get(case_input.procedure, case_input.version, case_input.parameters)
        if case is None:
            raise ValueError("the case is not known; its registration has to come first")
        return self.rulebooks.for_case(case)

    async def _store_decision_context(self, tx: Transaction) -> None:
        """Store organisation and calendars once a process, so that a replay can make its decisions again."""
        rulebooks = self.rulebooks
        # A recalculation that moves no deadline writes no event, but its case names these calendars from now on.
        if not self.changed_ids or rulebooks.decision_context_stored:
            return
        context = rulebooks.decision_context
        await decision_contexts.insert_decision_context(tx, StoredDecisionContext(context.stamp, rulebooks.calendar_stamp, context.content))

        def mark_stored() -> None:
            rulebooks.decision_context_stored = True

        tx.after_commit(mark_stored)

    async def _start_duties(self, tx: Transaction) -> None:
        """Let the duties of procedures begin with their first registration here."""
        # Neither received_at nor registered_at decides: an importer brings complaints of decades ago, for which nobody owes a report.
        if new := self.opened_procedures - self.rulebooks.started_procedures:
            await duties.start_duties(tx, new, self.now)
            tx.after_commit(lambda: self.rulebooks.started_procedures.update(new))

    def _next_timer(self, case_id: str) -> datetime | None:
        """The instant of the case's timer: its next due instant or its first deferred input, whichever is earlier."""
        due = self.next_due(case_id)
        instants = [] if due is None else [from_micros(due)]
        if case_id in self.deferred_since:
            instants.append(self.deferred_since[case_id])
        if remaining := self.deferred.get(case_id):
            instants.append(remaining[0].at)
        return min(instants, default=None)

    def _append_event(self, stored: StoredCase, event: Event, context: EventContext, origin: str) -> None:
        case = context.case
        fields = event_mapping.published_fields(event, case, context.rulebook.procedure, context.worktime)
        fields |= {"type": event.type, "recorded_at": self.now, "procedure": case.procedure, "version": case.version}
        # Encoded once: ledger and topic carry the same bytes (ADR 15); the hash is of those without personal values (ADR 68).
        at, body = fields["at"], hash_chain.canonical_json(fields)
        stored.head = hash_chain.personal_chain_hash(stored.head, body, stored.personal_key, fields)
        stored.changed_at = max(stored.changed_at, event.at)
        self.new_entries.append(
            NewLedgerEntry(
                case=case.id,
                entry=LedgerEntry(event.sequence, body, stored.head),
                type=event.type,
                at=at,
                recorded_at=self.now,
                cause=event.cause,
                fields=fields,
                origin=origin,
                context_stamp=context.context_stamp,
            )
        )
        figures = figures_of(fields, case, context.rulebook.procedure)
        self.tallies += [TallyKey(at.date(), each.name, case.procedure, case.department, each.detail) for each in figures]
        self.messages += messages_of(event, fields, body, context)


def recalculate(batch: CaseBatch, case_id: str) -> None:
    """Recalculate a case's deadlines with the present calendars without executing due items.

    If the next due instant has passed, the recalculation takes effect at that instant: only the timer loop, which waits for the watermark,
    decides whether the deadline was met.
    """
    due = batch.next_due(case_id)
    now = to_micros(batch.now)
    batch.decide(case_id, Recalculate(now if due is None else min(now, due)))
