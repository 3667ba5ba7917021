"""Decide on registrations and on news of cases: load what is needed, let the desk decide, record and publish. One transaction."""

from collections.abc import Sequence
from datetime import datetime

from services.triage import metrics
from services.triage.application.batch_preview import BatchPreview
from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.application.state_loading import LoadedTriageState
from services.triage.domain.assess import TriageDecision, assess
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.state import TriageState, assess_amendment
from services.triage.domain.triage_case import TriageCase, case_from_decision
from services.triage.storage import group_counters, triage_cases
from shared.contracts import topics
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.events import CaseEvent, encode_event
from shared.contracts.events.measures import Amended, Refused
from shared.contracts.events.triage import Registered
from shared.runtime.clock import Clock, uuid7
from shared.runtime.database.database import Transaction
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.outbox import outbox
from shared.runtime.process.scheduling import yield_every


class TriageComplaints:
    """Decides under the procedures of a library."""

    def __init__(self, registry: ProcedureRegistry, clock: Clock) -> None:
        self._library = registry
        self._clock = clock

    async def decide_batch(self, tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        """Take registrations and follow news of cases, in the order given; a registration that was taken before changes nothing."""
        load = LoadedTriageState(TriageState(self._library.organisation), self._library)
        preview = BatchPreview(
            {r.key: self.assess_registration(r.event) async for r in yield_every(batch) if isinstance(r.event, Registered)}
        )
        await group_counters.lock_counting(tx, await self._counting(tx, batch, preview))
        await load.load_cases(tx, {r.key for r in batch})
        fresh = _without_known_registrations(load.state, batch)
        self._foresee(preview, load.state, fresh)
        if preview.queries or preview.leaving_cases:
            await load.load_counters(tx, preview.queries, preview.leaving_cases)
        events: list[tuple[CaseEvent, str | None]] = []
        now = self._clock.now()
        async for received in yield_every(fresh):
            events += [(event, received.traceparent) for event in self._events(load.state, received, preview, now)]
        numbered = _with_sequences(load.state, events)
        await load.save(tx, {event.case: number for event, number, _ in numbered})
        await outbox.add(tx, [_message(event, number, trace) async for event, number, trace in yield_every(numbered)])
        tx.after_commit(lambda: metrics.count_events([event for event, _ in events], load.state))

    async def _counting(self, tx: Transaction, batch: Sequence[ReceivedRecord], preview: BatchPreview) -> set[str]:
        """The procedures under which this batch counts across cases."""
        news = {r.key for r in batch} - preview.decisions.keys()
        named = await triage_cases.find_procedures(tx, news)
        counting = {
            name for name, version, parameters in named if self._library.bound_procedure(name, version, parameters).procedure.counts
        }
        return counting | {d.procedure.id for d in preview.decisions.values() if d.count_keys}

    def _foresee(self, preview: BatchPreview, desk: TriageState, batch: Sequence[ReceivedRecord]) -> None:
        """Learn what the batch touches, in order, without an effect; nothing where its procedures do not count."""
        found: dict[str, TriageCase | TriageDecision] = dict(desk.cases)
        for received in batch:
            event, before = received.event, found.get(received.key)
            if isinstance(event, Registered):
                found[received.key] = decision = preview.decisions[received.key]
                preview.add_counting({}, decision)
            elif before is None or not before.procedure.counts:
                continue
            elif isinstance(event, Amended):
                held = case_from_decision(before) if isinstance(before, TriageDecision) else before
                revised = assess_amendment(held, event, self._library.organisation, self._context(event, held))
                if revised is not None:
                    found[received.key] = held.with_decision(revised)
                    preview.add_counting(held.keys, revised)
            elif isinstance(event, Refused):
                preview.leaving_cases.add(received.key)

    def assess_registration(self, event: Registered) -> TriageDecision:
        """The decision on a registration, under the procedure and version that it names. Raises Rejected if that is not installed."""
        bound = self._library.bound_procedure(event.procedure, event.version, event.parameters)
        context = TriageContext(event.at, self._library.zone(bound.procedure))
        return assess(event.complaint, bound, self._library.organisation, context)

    def _events(self, desk: TriageState, received: ReceivedRecord, preview: BatchPreview, now: datetime) -> list[CaseEvent]:
        event = received.event
        if isinstance(event, Registered):
            decision = preview.decisions[received.key]
            return desk.add_case(event, decision, TriageContext(event.at, self._library.zone(decision.procedure), now))
        held = desk.cases.get(received.key)
        return [] if held is None else desk.apply_event(event, self._context(event, held, now))

    def _context(self, event: CaseEvent, held: TriageCase, now: datetime | None = None) -> TriageContext:
        # A decision happens with what it decides on, so that a replay decides the same.
        return TriageContext(event.at, self._library.zone(held.procedure), now)


def _without_known_registrations(desk: TriageState, batch: Sequence[ReceivedRecord]) -> list[ReceivedRecord]:
    """The batch without registrations of cases that are known, should a record ever come under another id."""
    seen = set(desk.cases)
    fresh = []
    for received in batch:
        if isinstance(received.event, Registered):
            if received.key in seen:
                continue
            seen.add(received.key)
        fresh.append(received)
    return fresh


def _with_sequences(desk: TriageState, events: Sequence[tuple[CaseEvent, str | None]]) -> list[tuple[CaseEvent, int, str | None]]:
    """Each event with its number in its case."""
    numbers: dict[str, int] = {}
    numbered = []
    for event, trace in events:
        numbers[event.case] = number = numbers.get(event.case, desk.cases[event.case].sequence) + 1
        numbered.append((event, number, trace))
    return numbered


def _message(event: CaseEvent, number: int, trace: str | None) -> CloudEventRecord:
    return CloudEventRecord(
        topic=topics.TRIAGE_EVENTS.name,
        key=event.case,
        id=uuid7(),
        type=event.type,
        at=event.at,
        body=encode_event(event),
        source="triage",
        sequence=number,
        traceparent=trace,
    )
