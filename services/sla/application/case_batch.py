"""One transaction's work on cases: loads them, lets the core decide input by input, and records all that follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from services.sla import metrics
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.deadlines.worktime import Worktime, from_micros, to_micros
from services.sla.domain.evidence import hash_chain
from services.sla.domain.evidence.recorded_events import input_origin
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.decide import decide
from services.sla.domain.lifecycle.inputs import ApplyDecision, CaseInput, OpenCase, Recalculate, TakeAction
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views import event_mapping, redaction
from services.sla.storage import cases
from services.sla.storage.cases import DeferredInput, NewLedgerEntry, StoredCase
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.topics import CASE_EVENTS, PARTITIONS, department_topic
from shared.runtime.clock import uuid7
from shared.runtime.database.database import Transaction
from shared.runtime.kafka.record import partition_of
from shared.runtime.outbox import outbox
from shared.runtime.timers import timers

EVENT_SOURCE = "jiesu/sla"


@dataclass(frozen=True, slots=True)
class PendingAction:
    """An action on a case that is not known yet: whether the actor may do it is found out once it is."""

    action: dict[str, Any]
    actor: str
    at: int


_INPUT_CLASSES: dict[str, type[TakeAction | ApplyDecision | PendingAction]] = {
    "act": TakeAction,
    "decided": ApplyDecision,
    "asked": PendingAction,
}
ResolvePending = Callable[[PendingAction, Case], TakeAction]
"""Makes an action out of one that was asked for before its case was known."""


class _EventContext(NamedTuple):
    """What all events of a decision have in common: the case after it, and the departments that are told of them."""

    case: Case
    rulebook: Rulebook
    worktime: Worktime
    departments: tuple[str, ...]
    context_stamp: str
    traceparent: str | None


@dataclass(slots=True)
class CaseBatch:
    """The cases of one transaction; nothing is written before `record`."""

    rulebooks: RulebookRegistry
    now: datetime
    resolve_pending: ResolvePending
    stored_cases: dict[str, StoredCase] = field(default_factory=dict)
    deferred: dict[str, list[DeferredInput]] = field(default_factory=dict)
    new_entries: list[NewLedgerEntry] = field(default_factory=list)
    messages: list[CloudEventRecord] = field(default_factory=list)
    newly_deferred: list[tuple[str, datetime, Mapping[str, Any]]] = field(default_factory=list)
    deferred_since: dict[str, datetime] = field(default_factory=dict)
    applied_input_ids: list[int] = field(default_factory=list)
    changed_ids: set[str] = field(default_factory=set)
    calendar_stamp: str = field(init=False)

    def __post_init__(self) -> None:
        self.calendar_stamp = self.rulebooks.calendar_stamp

    async def load(self, tx: Transaction, ids: list[str]) -> None:
        """Lock the cases and read what waits for them."""
        self.stored_cases = await cases.load_cases(tx, ids)
        self.deferred = await cases.load_deferred(tx, ids)

    def case(self, case_id: str) -> Case | None:
        """The case as it stands."""
        return self.stored_cases[case_id].case

    def next_due(self, case_id: str) -> int | None:
        """The next instant at which something of the case is due; None if nothing is, or if it is not known."""
        return self.stored_cases[case_id].next_due

    def decide(self, case_id: str, case_input: CaseInput, traceparent: str | None = None) -> list[Event]:
        """Let the core decide on an input; what follows is kept for `record`."""
        kept = self.stored_cases[case_id]
        if isinstance(case_input, OpenCase):
            rulebook = self.rulebooks.get(case_input.procedure, case_input.version, case_input.parameters)
        else:
            if kept.case is None:
                raise ValueError("the case is not known; its registration has to come first")
            rulebook = self.rulebooks.for_case(kept.case)
        now = max(to_micros(self.now), getattr(case_input, "at", 0), getattr(case_input, "registered_at", 0))
        before = departments_of(kept.case)
        decision = decide(kept.case, case_input, rulebook, now)
        case = decision.case
        kept.case, kept.next_due = case, decision.next_due
        if isinstance(case_input, (OpenCase, Recalculate)):
            kept.calendar_stamp = self.calendar_stamp
        self.changed_ids.add(case_id)
        # Who gives a case away hears of that too.
        told = tuple(dict.fromkeys((*departments_of(case), *before)))
        about = _EventContext(
            case, rulebook, rulebook.worktime_for(case.department), told, self.rulebooks.decision_context.stamp, traceparent
        )
        came_about = input_origin(case_input)
        for event in decision.events:
            self._append_event(kept, event, about, came_about)
            came_about = ""
        return decision.events

    def defer(self, case_id: str, case_input: TakeAction | ApplyDecision | PendingAction, at: datetime) -> None:
        """Let an input wait: for its case, or for what was due before it."""
        kind = next(kind for kind, cls in _INPUT_CLASSES.items() if isinstance(case_input, cls))
        self.newly_deferred.append((case_id, at, {"kind": kind, "input": case_input}))
        self.deferred_since.setdefault(case_id, at)
        self.changed_ids.add(case_id)

    def apply_deferred(self, case_id: str, cutoff: int | None = None) -> None:
        """Decide on the inputs that wait for a case, in their order; with `upto` only as far as what was due before each is known."""
        remaining = self.deferred.pop(case_id, [])
        while remaining:
            case, due = self.case(case_id), self.next_due(case_id)
            if case is None or (cutoff is not None and due is not None and cutoff < due < to_micros(remaining[0].at)):
                self.deferred[case_id] = remaining
                return
            held = remaining.pop(0)
            given = deserialize(held.input)
            self.decide(case_id, self.resolve_pending(given, case) if isinstance(given, PendingAction) else given)
            self.applied_input_ids.append(held.id)

    def has_deferred(self, case_id: str) -> bool:
        """Whether inputs of the case wait, so that later ones have to queue behind them."""
        return bool(self.deferred.get(case_id)) or case_id in self.deferred_since

    async def record(self, tx: Transaction) -> None:
        """Write cases, ledger, waiting inputs, timers and messages."""
        changed = [(name, kept) for name, kept in sorted(self.stored_cases.items()) if kept.case is not None and name in self.changed_ids]
        await cases.save_cases(tx, [kept for _, kept in changed])
        await self._store_decision_context(tx)
        await cases.append_entries(tx, self.new_entries)
        await cases.delete_deferred(tx, self.applied_input_ids)
        await cases.insert_deferred(tx, self.newly_deferred)
        await timers.arm(tx, {name: (partition_of(name, PARTITIONS), self._next(name)) for name, _ in changed})
        await outbox.add(tx, self.messages)
        events = [line.fields for line in self.new_entries]
        tx.after_commit(lambda: metrics.count_events(events))

    async def _store_decision_context(self, tx: Transaction) -> None:
        """Once a process: what its decisions rest on is kept, so that they can be made again later."""
        if self.new_entries and not self.rulebooks.basis_kept:
            await cases.insert_decision_context(tx, self.rulebooks.decision_context, self.rulebooks.calendar_stamp)
            tx.after_commit(lambda: setattr(self.rulebooks, "basis_kept", True))

    def _next(self, name: str) -> datetime | None:
        due = self.next_due(name)
        instants = [] if due is None else [from_micros(due)]
        if name in self.deferred_since:
            instants.append(self.deferred_since[name])
        if waiting := self.deferred.get(name):
            instants.append(waiting[0].at)
        return min(instants, default=None)

    def _append_event(self, kept: StoredCase, event: Event, about: _EventContext, came_about: str) -> None:
        case = about.case
        fields = event_mapping.published_fields(event, case, about.rulebook.procedure, about.worktime)
        fields |= {"type": event.type, "recorded_at": self.now, "procedure": case.procedure, "version": case.version}
        at, body = fields["at"], hash_chain.canonical_json(fields)
        kept.head = hash_chain.chain_hash(kept.head, body)
        entry = hash_chain.LedgerEntry(event.sequence, body, kept.head)
        self.new_entries.append(
            NewLedgerEntry(case.id, entry, event.type, at, self.now, event.cause, fields, came_about, about.context_stamp)
        )
        self._publish(CASE_EVENTS.name, event, at, body, about)
        if about.departments and event.type not in redaction.NOT_FOR_DEPARTMENTS:
            self._project(event, fields, about)

    def _project(self, event: Event, fields: dict[str, Any], about: _EventContext) -> None:
        """Publish an event to departments; those from which the same is hidden get the same bytes."""
        if event.type in redaction.ROUTING_EVENTS:  # the first that the department hears of the case: what it is about comes along
            fields = {**fields, "complaint": event_mapping.published_complaint(about.case, about.worktime)}
        bodies: dict[tuple[str, ...], bytes] = {}
        for department in about.departments:
            unit = about.rulebook.organisation.department(department)
            if unit is None:  # a department that only a rule names has no topic of its own
                continue
            hidden = redaction.hidden_fields(about.rulebook.procedure, unit)
            if hidden not in bodies:
                bodies[hidden] = hash_chain.canonical_json(redaction.redact(fields, hidden))
            self._publish(department_topic(department).name, event, fields["at"], bodies[hidden], about)

    def _publish(self, topic: str, event: Event, at: datetime, body: bytes, about: _EventContext) -> None:
        case, by = about.case.id, _by(event)
        self.messages.append(
            CloudEventRecord(topic, case, uuid7(), event.type, at, body, EVENT_SOURCE, event.sequence, about.traceparent, by)
        )


def _by(event: Event) -> str:
    """Who decided it; where an event says `by` which channels, nobody but the case itself did."""
    by = event.data.get("by", "")
    return by if isinstance(by, str) else ""


def departments_of(case: Case | None) -> tuple[str, ...]:
    """The lead department and those that co-operate."""
    return (case.department, *case.cooperating) if case is not None and case.department else ()


def deserialize(stored_input: Mapping[str, Any]) -> TakeAction | ApplyDecision | PendingAction:
    """An input that waited, as it was."""
    return _INPUT_CLASSES[stored_input["kind"]](**stored_input["input"])


def recalculate(batch: CaseBatch, case_id: str) -> None:
    """Count a case's deadlines again with the present calendars.

    Nothing that is due is carried out by it: whether it was met in time is not known before the input is read so far.
    """
    due = batch.next_due(case_id)
    now = to_micros(batch.now)
    batch.decide(case_id, Recalculate(now if due is None else min(now, due)))
