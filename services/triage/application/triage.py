"""Decide on registrations and on news of cases: load what is needed, let the desk decide, record and publish. One transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.triage import metrics
from services.triage.application.procedure_registry import Library
from services.triage.application.state_loading import Caseload, looks
from services.triage.domain.assess import Decision, assess
from services.triage.domain.rule_scope import Context
from services.triage.domain.state import Desk, reassess
from services.triage.domain.triage_case import Known, remember
from services.triage.storage import triage_state
from services.triage.storage.triage_state import Look
from shared.contracts import topics
from shared.contracts.envelope import Message
from shared.contracts.events import CaseEvent, encode
from shared.contracts.events.measures import Amended, Refused
from shared.contracts.events.triage import Registered
from shared.runtime.clock import Clock, uuid7
from shared.runtime.database.database import Transaction
from shared.runtime.kafka.record import Received
from shared.runtime.outbox import outbox
from shared.runtime.process.scheduling import in_turns


@dataclass
class Preview:
    """What a batch will need: decisions on its registrations, where cases are counted, which leave a tally."""

    decisions: dict[str, Decision]
    looks: list[Look] = field(default_factory=list)
    leaving: set[str] = field(default_factory=set)

    def counted(self, old: Mapping[str, str], decision: Decision) -> None:
        """A case is counted, maybe by other keys than before."""
        if decision.keys == old:
            return
        changed = {count: key for count, key in decision.keys.items() if key != old.get(count)}
        self.looks += looks(decision.complaint, decision.procedure, changed)
        if any(decision.keys.get(count) != key for count, key in old.items()):
            self.leaving.add(decision.complaint.case)


class Triage:
    """Decides under the procedures of a library."""

    def __init__(self, library: Library, clock: Clock) -> None:
        self._library = library
        self._clock = clock

    async def decide(self, tx: Transaction, batch: Sequence[Received]) -> None:
        """Take registrations and follow news of cases, in the order given; a registration that was taken before changes nothing."""
        load = Caseload(Desk(self._library.organisation), self._library)
        preview = Preview({r.key: self.assess(r.event) async for r in in_turns(batch) if isinstance(r.event, Registered)})
        await triage_state.lock(tx, await self._counting(tx, batch, preview))
        await load.load(tx, {r.key for r in batch})
        fresh = _fresh(load.desk, batch)
        self._foresee(preview, load.desk, fresh)
        if preview.looks or preview.leaving:
            await load.load_counts(tx, preview.looks, preview.leaving)
        events: list[tuple[CaseEvent, str | None]] = []
        now = self._clock.now()
        async for received in in_turns(fresh):
            events += [(event, received.traceparent) for event in self._events(load.desk, received, preview, now)]
        numbered = _numbered(load.desk, events)
        await load.record(tx, {event.case: number for event, number, _ in numbered})
        await outbox.add(tx, [_message(event, number, trace) async for event, number, trace in in_turns(numbered)])
        tx.after_commit(lambda: metrics.count([event for event, _ in events], load.desk))

    async def _counting(self, tx: Transaction, batch: Sequence[Received], preview: Preview) -> set[str]:
        """The procedures under which this batch counts across cases."""
        news = {r.key for r in batch} - preview.decisions.keys()
        named = await triage_state.procedures(tx, news)
        counting = {name for name, version, parameters in named if self._library.bound(name, version, parameters).procedure.counts}
        return counting | {d.procedure.id for d in preview.decisions.values() if d.keys}

    def _foresee(self, preview: Preview, desk: Desk, batch: Sequence[Received]) -> None:
        """Learn what the batch touches, in order, without an effect; nothing where its procedures do not count."""
        found: dict[str, Known | Decision] = dict(desk.cases)
        for received in batch:
            event, before = received.event, found.get(received.key)
            if isinstance(event, Registered):
                found[received.key] = decision = preview.decisions[received.key]
                preview.counted({}, decision)
            elif before is None or not before.procedure.counts:
                continue
            elif isinstance(event, Amended):
                held = remember(before) if isinstance(before, Decision) else before
                revised = reassess(held, event, self._library.organisation, self._context(event, held))
                if revised is not None:
                    found[received.key] = held.assessed_anew(revised)
                    preview.counted(held.keys, revised)
            elif isinstance(event, Refused):
                preview.leaving.add(received.key)

    def assess(self, event: Registered) -> Decision:
        """The decision on a registration, under the procedure and version that it names. Raises Rejected if that is not installed."""
        bound = self._library.bound(event.procedure, event.version, event.parameters)
        context = Context(event.at, self._library.zone(bound.procedure))
        return assess(event.complaint, bound, self._library.organisation, context)

    def _events(self, desk: Desk, received: Received, preview: Preview, now: datetime) -> list[CaseEvent]:
        event = received.event
        if isinstance(event, Registered):
            decision = preview.decisions[received.key]
            return desk.take(event, decision, Context(event.at, self._library.zone(decision.procedure), now))
        held = desk.cases.get(received.key)
        return [] if held is None else desk.follow(event, self._context(event, held, now))

    def _context(self, event: CaseEvent, held: Known, now: datetime | None = None) -> Context:
        # A decision happens with what it decides on, so that a replay decides the same.
        return Context(event.at, self._library.zone(held.procedure), now)


def _fresh(desk: Desk, batch: Sequence[Received]) -> list[Received]:
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


def _numbered(desk: Desk, events: Sequence[tuple[CaseEvent, str | None]]) -> list[tuple[CaseEvent, int, str | None]]:
    """Each event with its number in its case."""
    numbers: dict[str, int] = {}
    numbered = []
    for event, trace in events:
        numbers[event.case] = number = numbers.get(event.case, desk.cases[event.case].sequence) + 1
        numbered.append((event, number, trace))
    return numbered


def _message(event: CaseEvent, number: int, trace: str | None) -> Message:
    return Message(
        topic=topics.TRIAGE_EVENTS.name,
        key=event.case,
        id=uuid7(),
        type=event.type,
        at=event.at,
        body=encode(event),
        source="triage",
        sequence=number,
        traceparent=trace,
    )
