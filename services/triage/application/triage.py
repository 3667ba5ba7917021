"""Decides on a batch of registrations and case events: load, decide, save and publish in one transaction."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from services.triage import metrics
from services.triage.application.departments.open_cases import OpenCaseCounts
from services.triage.application.group_following import follow_groups
from services.triage.application.link_proposals import follow_proposals
from services.triage.application.models.classifying import Classifiers
from services.triage.application.party_following import follow_parties
from services.triage.application.people_loading import enter_people
from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.application.similar_events import SimilarEvents
from services.triage.application.state_loading import LoadedTriageState
from services.triage.domain.compiled_rules import TriageRules
from services.triage.domain.departments.working_departments import WorkingDepartments
from services.triage.domain.event_assessment import AssessedEvent, CountChange, assess_event, assess_registration, recount_of
from services.triage.domain.reading.reading_copy import ReadingCopy
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.state import CountersNotLoadedError, TriageState
from services.triage.domain.triage_case import TriageCase
from services.triage.storage import group_counters, recounts, triage_cases
from shared.contracts import topics
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.events import CaseEvent, encode_event
from shared.contracts.events.triage import Registered
from shared.procedures.model.procedure import Procedure
from shared.runtime.clock import Clock, uuid7
from shared.runtime.database.database import Transaction
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.outbox import outbox

AssessedRecord = tuple[ReceivedRecord, AssessedEvent]
RecountTask = tuple[CountChange, datetime]
"""A count to take again, and the instant of the submission that showed people to be one."""
MAX_RECOUNTS = 100
"""Counts that a batch takes again; the rest waits for the next one, or for the loop of an idle procedure."""
_RECORDS_A_TURN = 20
TracedEvent = tuple[CaseEvent, str | None]
"""An event to publish and the traceparent of the record that caused it."""


class TriageComplaints:
    """Decides under the procedures of a registry."""

    def __init__(self, registry: ProcedureRegistry, clock: Clock, classifiers: Classifiers | None = None) -> None:
        self._registry = registry
        self._clock = clock
        self._events = SimilarEvents()
        self._classifiers = classifiers or Classifiers()
        self._open_cases = OpenCaseCounts(WorkingDepartments(registry.organisation).limited)

    async def decide_batch(self, tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        """Apply the records in order and publish triage's events; a second registration of a case changes nothing.

        Raises Rejected if a procedure is not installed.
        """
        # Registrations need no state: most of the work is done before any lock is taken.
        await self._open_cases.refresh(tx)
        registrations = self._assess_registrations(batch)
        procedures = await self._counting_procedures(tx, batch, registrations)
        await group_counters.lock_counting(tx, procedures)
        # Before people are entered: what changes from here on, by this batch too, is in the log behind the procedure's position.
        await recounts.follow_changes(tx, procedures)
        submissions = [(assessed.after.complainants, assessed.event.at) for assessed in registrations.values()]
        await enter_people(tx, submissions)
        loaded = LoadedTriageState(self._registry, submitted_keys={key for keys, _ in submissions for key in keys})
        await loaded.load_cases(tx, {record.key for record in batch})
        await self._events.follow(tx, _rules_of(loaded.cases, registrations))
        assessed = self._assess_events(loaded.cases, batch, registrations)
        await self._events.save(tx)
        tasks = await self._take_recounts(tx, loaded, await recounts.find_procedures_behind(tx, procedures))
        changes = [change for change, _ in tasks] + [change for _, event in assessed for change in event.count_changes]
        await loaded.load_counters(tx, changes)
        state, events = await self._apply(tx, loaded, tasks, assessed)
        await self._save(tx, loaded, state, events)
        await follow_proposals(tx, [event for event, _ in events], [event.event for _, event in assessed])
        failed = [event.decision.procedure.id for _, event in assessed if event.decision is not None and event.decision.failed_conditions]
        tx.after_commit(lambda: metrics.count_failed_conditions(failed))

    async def recount(self, tx: Transaction, procedure: str) -> None:
        """Take counts of the procedure, or of the organisation, again because people turned out to be one, as many as a batch may."""
        await group_counters.lock_counting(tx, self._registry.counting_scopes([procedure]))
        loaded = LoadedTriageState(self._registry)
        tasks = await self._take_recounts(tx, loaded, [procedure])
        await loaded.load_counters(tx, [change for change, _ in tasks])
        state, events = await self._apply(tx, loaded, tasks, [])
        await self._save(tx, loaded, state, events)

    async def _take_recounts(self, tx: Transaction, loaded: LoadedTriageState, procedures: Sequence[str]) -> list[RecountTask]:
        tasks = []
        for procedure in procedures:
            tasks += await recounts.take_recounts(tx, procedure, self._registry.counted_around(procedure), MAX_RECOUNTS)
        await loaded.load_cases(tx, {case for _, case, _ in tasks})
        changes = [(recount_of(loaded.cases[case], counter), at) for counter, case, at in tasks if case in loaded.cases]
        return [(change, at) for change, at in changes if change is not None]

    async def _save(self, tx: Transaction, loaded: LoadedTriageState, state: TriageState, events: Sequence[TracedEvent]) -> None:
        numbered = _number_events(state, events)
        await loaded.save(tx, state, {event.case: sequence for event, sequence, _ in numbered})
        await follow_parties(tx, [event for event, _ in events])
        await follow_groups(tx, [event for event, _ in events])
        await outbox.add(tx, [_to_record(*numbered_event) for numbered_event in numbered])
        tx.after_commit(lambda: metrics.count_events([event for event, _ in events], self._registry.organisation))

    def _assess_registrations(self, batch: Sequence[ReceivedRecord]) -> dict[str, AssessedEvent]:
        first: dict[str, Registered] = {}
        for record in batch:
            if isinstance(record.event, Registered):
                first.setdefault(record.key, record.event)
        readings = {case: ReadingCopy(event.complaint) for case, event in first.items()}
        if self._classifiers.active is not None:
            self._classifiers.prepare([(reading.field("title"), reading.field("text")) for reading in readings.values()])
        registrations: dict[str, AssessedEvent] = {}
        for case, event in first.items():
            rules = self._registry.rules(event.procedure, event.version, event.parameters)
            assessed = assess_registration(event, rules, self._context(event, rules.procedure), readings[case])
            if assessed.decision is not None:
                self._open_cases.add(assessed.decision.route.department)
            registrations[case] = assessed
        return registrations

    async def _counting_procedures(
        self, tx: Transaction, batch: Sequence[ReceivedRecord], registrations: Mapping[str, AssessedEvent]
    ) -> set[str]:
        """The scopes, procedures or the organisation, of which this batch may read or change group counters."""
        known_cases = {record.key for record in batch} - registrations.keys()
        pinned = await triage_cases.find_procedures(tx, known_cases)
        counted = {assessed.after.procedure.id for assessed in registrations.values() if assessed.count_changes}
        return self._registry.counting_scopes(counted | {procedure for procedure, _, _ in pinned})

    def _assess_events(
        self, loaded_cases: Mapping[str, TriageCase], batch: Sequence[ReceivedRecord], registrations: Mapping[str, AssessedEvent]
    ) -> list[AssessedRecord]:
        """Assess each event on the case as the events before it leave it; events of unknown cases are left out."""
        cases = dict(loaded_cases)
        assessed: list[AssessedRecord] = []
        for record in batch:
            triage_case = cases.get(record.key)
            if isinstance(record.event, Registered):
                # The inbox drops a record that was read before; this drops a registration that was published twice.
                event = self._events.find(registrations[record.key]) if triage_case is None else None
            else:
                event = None if triage_case is None else self._assess_event(record.event, triage_case)
            if event is not None:
                cases[record.key] = event.after
                assessed.append((record, event))
        return assessed

    def _assess_event(self, event: CaseEvent, triage_case: TriageCase) -> AssessedEvent:
        return self._events.find(assess_event(event, triage_case, self._context(event, triage_case.procedure)))

    async def _apply(
        self, tx: Transaction, loaded: LoadedTriageState, tasks: Sequence[RecountTask], assessed: Sequence[AssessedRecord]
    ) -> tuple[TriageState, list[TracedEvent]]:
        now = self._clock.now()
        while True:
            state = loaded.new_state()
            try:
                return state, [
                    *[event async for event in self._recounted_events(tx, loaded, state, tasks, now)],
                    *[event async for event in self._published_events(tx, loaded, state, assessed, now)],
                ]
            except CountersNotLoadedError as missing:
                # Rare: facts that a group set changed a count key, which the events did not show.
                await loaded.load_counters(tx, missing.changes)

    async def _recounted_events(
        self, tx: Transaction, loaded: LoadedTriageState, state: TriageState, tasks: Sequence[RecountTask], recorded_at: datetime
    ) -> AsyncIterator[TracedEvent]:
        for number, (change, at) in enumerate(tasks):
            await _yield_sometimes(number)
            zone = self._registry.zone(state.cases[change.case].procedure)
            context = TriageContext(at, zone, recorded_at, self._classifiers.active)
            for event in await _completing_counters(tx, loaded, state, partial(state.recount, change, context)):
                yield event, None

    async def _published_events(
        self, tx: Transaction, loaded: LoadedTriageState, state: TriageState, assessed: Sequence[AssessedRecord], recorded_at: datetime
    ) -> AsyncIterator[TracedEvent]:
        for number, (record, event) in enumerate(assessed):
            await _yield_sometimes(number)
            context = self._context(event.event, event.after.procedure, recorded_at)
            for published in await _completing_counters(tx, loaded, state, partial(state.apply, event, context)):
                yield published, record.traceparent

    def _context(self, event: CaseEvent, procedure: Procedure, recorded_at: datetime | None = None) -> TriageContext:
        # A decision has the instant of the event that it follows, so that a replay decides the same.
        return TriageContext(event.at, self._registry.zone(procedure), recorded_at, self._classifiers.active, self._open_cases.counts)


async def _completing_counters(
    tx: Transaction, loaded: LoadedTriageState, state: TriageState, apply: Callable[[], Iterable[CaseEvent]]
) -> list[CaseEvent]:
    """The changes that one event causes; an event that completes or dissolves groups begins again with their members loaded."""
    while True:
        try:
            events = list(apply())
        except CountersNotLoadedError as missing:
            if missing.whole_counter is None:
                raise
            # The events before keep what they did: a batch of 500 completes several groups of people, and each began all of it again.
            state.undo()
            await loaded.complete_counter(tx, missing.whole_counter, state)
        else:
            state.keep()
            return events


async def _yield_sometimes(number: int) -> None:
    # A batch whose groups change many members takes seconds on a busy machine; the consumer group expels a member after six without a
    # heartbeat, and the next owner of the partitions begins the same batch again.
    if number % _RECORDS_A_TURN == _RECORDS_A_TURN - 1:
        await asyncio.sleep(0)


def _rules_of(cases: Mapping[str, TriageCase], registrations: Mapping[str, AssessedEvent]) -> list[TriageRules]:
    """The rules that a batch concerns, of several versions the latest last."""
    used = [*(case.rules for case in cases.values()), *(assessed.after.rules for assessed in registrations.values())]
    return sorted(used, key=lambda rules: rules.procedure.version)


def _number_events(state: TriageState, events: Sequence[TracedEvent]) -> list[tuple[CaseEvent, int, str | None]]:
    """Each event with its number on triage's topic, counted for each case."""
    sequences: dict[str, int] = {}
    numbered = []
    for event, traceparent in events:
        sequences[event.case] = sequences.get(event.case, state.cases[event.case].sequence) + 1
        numbered.append((event, sequences[event.case], traceparent))
    return numbered


def _to_record(event: CaseEvent, sequence: int, traceparent: str | None) -> CloudEventRecord:
    return CloudEventRecord(
        topic=topics.TRIAGE_EVENTS.name,
        key=event.case,
        id=uuid7(),
        type=event.type,
        at=event.at,
        body=encode_event(event),
        source="triage",
        sequence=sequence,
        traceparent=traceparent,
    )
