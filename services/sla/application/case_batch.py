"""One transaction's work on cases: loads them, lets the core decide input by input, and records all that follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from services.sla import metrics
from services.sla.application.rulebooks import Rulebooks
from services.sla.domain.deadlines.worktime import Worktime, micros, moment
from services.sla.domain.evidence import hash_chain
from services.sla.domain.evidence.replay import origin
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.decide import Act, Decided, Input, Opening, Recount, decide
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views import event_mapping, redaction
from services.sla.storage import cases
from services.sla.storage.cases import Held, Kept, Line
from shared.contracts.envelope import Message
from shared.contracts.topics import CASE_EVENTS, PARTITIONS, department_topic
from shared.runtime.clock import uuid7
from shared.runtime.database.database import Transaction
from shared.runtime.kafka.record import partition_of
from shared.runtime.outbox import outbox
from shared.runtime.timers import timers

SOURCE = "jiesu/sla"


@dataclass(frozen=True, slots=True)
class Asked:
    """An action on a case that is not known yet: whether the actor may do it is found out once it is."""

    action: dict[str, Any]
    actor: str
    at: int


_KINDS: dict[str, type[Act | Decided | Asked]] = {"act": Act, "decided": Decided, "asked": Asked}
Renew = Callable[[Asked, Case], Act]
"""Makes an action out of one that was asked for before its case was known."""


class _About(NamedTuple):
    """What all events of a decision have in common: the case after it, and the departments that are told of them."""

    case: Case
    rulebook: Rulebook
    worktime: Worktime
    told: tuple[str, ...]
    basis: str
    traceparent: str | None


@dataclass(slots=True)
class Caseload:
    """The cases of one transaction; nothing is written before `record`."""

    rulebooks: Rulebooks
    now: datetime
    renew: Renew
    kept: dict[str, Kept] = field(default_factory=dict)
    waiting: dict[str, list[Held]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    holding: list[tuple[str, datetime, Mapping[str, Any]]] = field(default_factory=list)
    held: dict[str, datetime] = field(default_factory=dict)
    released: list[int] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    calendar: str = field(init=False)

    def __post_init__(self) -> None:
        self.calendar = self.rulebooks.calendar_stamp

    async def load(self, tx: Transaction, ids: list[str]) -> None:
        """Lock the cases and read what waits for them."""
        self.kept = await cases.load(tx, ids)
        self.waiting = await cases.held(tx, ids)

    def case(self, name: str) -> Case | None:
        """The case as it stands."""
        return self.kept[name].case

    def due(self, name: str) -> int | None:
        """The next instant at which something of the case is due; None if nothing is, or if it is not known."""
        return self.kept[name].due

    def decide(self, name: str, given: Input, traceparent: str | None = None) -> list[Event]:
        """Let the core decide on an input; what follows is kept for `record`."""
        kept = self.kept[name]
        if isinstance(given, Opening):
            rulebook = self.rulebooks.get(given.procedure, given.version, given.parameters)
        else:
            if kept.case is None:
                raise ValueError("the case is not known; its registration has to come first")
            rulebook = self.rulebooks.of(kept.case)
        now = max(micros(self.now), getattr(given, "at", 0), getattr(given, "registered_at", 0))
        before = departments(kept.case)
        decision = decide(kept.case, given, rulebook, now)
        case = decision.case
        kept.case, kept.due = case, decision.next_due
        if isinstance(given, (Opening, Recount)):
            kept.calendar = self.calendar
        self.touched.add(name)
        # Who gives a case away hears of that too.
        told = tuple(dict.fromkeys((*departments(case), *before)))
        about = _About(case, rulebook, rulebook.worktime(case.department), told, self.rulebooks.basis.stamp, traceparent)
        came_about = origin(given)
        for event in decision.events:
            self._keep(kept, event, about, came_about)
            came_about = ""
        return decision.events

    def hold(self, name: str, given: Act | Decided | Asked, at: datetime) -> None:
        """Let an input wait: for its case, or for what was due before it."""
        kind = next(kind for kind, cls in _KINDS.items() if isinstance(given, cls))
        self.holding.append((name, at, {"kind": kind, "input": given}))
        self.held.setdefault(name, at)
        self.touched.add(name)

    def release(self, name: str, upto: int | None = None) -> None:
        """Decide on the inputs that wait for a case, in their order; with `upto` only as far as what was due before each is known."""
        remaining = self.waiting.pop(name, [])
        while remaining:
            case, due = self.case(name), self.due(name)
            if case is None or (upto is not None and due is not None and upto < due < micros(remaining[0].at)):
                self.waiting[name] = remaining
                return
            held = remaining.pop(0)
            given = thaw(held.input)
            self.decide(name, self.renew(given, case) if isinstance(given, Asked) else given)
            self.released.append(held.id)

    def waits(self, name: str) -> bool:
        """Whether inputs of the case wait, so that later ones have to queue behind them."""
        return bool(self.waiting.get(name)) or name in self.held

    async def record(self, tx: Transaction) -> None:
        """Write cases, ledger, waiting inputs, timers and messages."""
        changed = [(name, kept) for name, kept in sorted(self.kept.items()) if kept.case is not None and name in self.touched]
        await cases.save(tx, [kept for _, kept in changed])
        await self._keep_basis(tx)
        await cases.write(tx, self.lines)
        await cases.release(tx, self.released)
        await cases.hold(tx, self.holding)
        await timers.arm(tx, {name: (partition_of(name, PARTITIONS), self._next(name)) for name, _ in changed})
        await outbox.add(tx, self.messages)
        events = [line.fields for line in self.lines]
        tx.after_commit(lambda: metrics.count(events))

    async def _keep_basis(self, tx: Transaction) -> None:
        """Once a process: what its decisions rest on is kept, so that they can be made again later."""
        if self.lines and not self.rulebooks.basis_kept:
            await cases.keep_basis(tx, self.rulebooks.basis, self.rulebooks.calendar_stamp)
            tx.after_commit(lambda: setattr(self.rulebooks, "basis_kept", True))

    def _next(self, name: str) -> datetime | None:
        due = self.due(name)
        instants = [] if due is None else [moment(due)]
        if name in self.held:
            instants.append(self.held[name])
        if waiting := self.waiting.get(name):
            instants.append(waiting[0].at)
        return min(instants, default=None)

    def _keep(self, kept: Kept, event: Event, about: _About, came_about: str) -> None:
        case = about.case
        fields = event_mapping.outward(event, case, about.rulebook.procedure, about.worktime)
        fields |= {"type": event.type, "recorded_at": self.now, "procedure": case.procedure, "version": case.version}
        at, body = fields["at"], hash_chain.canonical(fields)
        kept.head = hash_chain.link(kept.head, body)
        entry = hash_chain.Entry(event.sequence, body, kept.head)
        self.lines.append(Line(case.id, entry, event.type, at, self.now, event.cause, fields, came_about, about.basis))
        self._publish(CASE_EVENTS.name, event, at, body, about)
        if about.told and event.type not in redaction.SILENT:
            self._project(event, fields, about)

    def _project(self, event: Event, fields: dict[str, Any], about: _About) -> None:
        """Publish an event to departments; those from which the same is hidden get the same bytes."""
        if event.type in redaction.HANDED:  # the first that the department hears of the case: what it is about comes along
            fields = {**fields, "complaint": event_mapping.complaint(about.case, about.worktime)}
        bodies: dict[tuple[str, ...], bytes] = {}
        for department in about.told:
            unit = about.rulebook.organisation.department(department)
            if unit is None:  # a department that only a rule names has no topic of its own
                continue
            hidden = redaction.hidden(about.rulebook.procedure, unit)
            if hidden not in bodies:
                bodies[hidden] = hash_chain.canonical(redaction.project(fields, hidden))
            self._publish(department_topic(department).name, event, fields["at"], bodies[hidden], about)

    def _publish(self, topic: str, event: Event, at: datetime, body: bytes, about: _About) -> None:
        case, by = about.case.id, _by(event)
        self.messages.append(Message(topic, case, uuid7(), event.type, at, body, SOURCE, event.sequence, about.traceparent, by))


def _by(event: Event) -> str:
    """Who decided it; where an event says `by` which channels, nobody but the case itself did."""
    by = event.data.get("by", "")
    return by if isinstance(by, str) else ""


def departments(case: Case | None) -> tuple[str, ...]:
    """The lead department and those that co-operate."""
    return (case.department, *case.cooperating) if case is not None and case.department else ()


def thaw(held: Mapping[str, Any]) -> Act | Decided | Asked:
    """An input that waited, as it was."""
    return _KINDS[held["kind"]](**held["input"])


def recount(caseload: Caseload, name: str) -> None:
    """Count a case's deadlines again with the present calendars.

    Nothing that is due is carried out by it: whether it was met in time is not known before the input is read so far.
    """
    due = caseload.due(name)
    now = micros(caseload.now)
    caseload.decide(name, Recount(now if due is None else min(now, due)))
