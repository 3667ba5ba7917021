"""What sla does: takes decisions and actions from Kafka, actions by HTTP, and carries out what is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

from services.sla.application.case_batch import Asked, Caseload, recount
from services.sla.application.identity import Actor, Authority
from services.sla.application.rulebooks import Rulebooks
from services.sla.domain.deadlines.worktime import micros, moment
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.decide import Act, Decided, Opening, Tick
from services.sla.domain.views import event_mapping
from services.sla.storage import cases as storage
from shared.contracts.actions import ACTIONS, Action
from shared.contracts.events import EVENTS
from shared.contracts.events.messages import NotificationOutcome
from shared.contracts.events.triage import Classified
from shared.contracts.topics import CASE_ACTIONS, PARTITIONS
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction
from shared.runtime.dead_letters import parking
from shared.runtime.errors import Rejected
from shared.runtime.http.problem import Problem
from shared.runtime.kafka.record import Received, partition_of
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.process.scheduling import in_turns
from shared.runtime.timers.timers import Due

RECOUNT_BATCH = 200
DUTY = "duty:"
"""Begins the key of what a procedure does without a case."""
_EVENTS = frozenset(EVENTS.values())
_DECISIONS = frozenset(cls for cls in _EVENTS if issubclass(cls, Classified))
_NEWS = frozenset(cls for cls in _EVENTS if issubclass(cls, NotificationOutcome))
_SPENT = "INSERT INTO inbox (id, topic) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an action by HTTP: its events, or that it waits in order behind what is not known yet, or that it was sent before."""

    events: list[Event]
    waits: bool = False
    repeated: bool = False


class Cases:
    """Everything that changes a case goes through here, a transaction at a time."""

    def __init__(self, rulebooks: Rulebooks, authority: Authority, clock: Clock) -> None:
        self.rulebooks = rulebooks
        self.authority = authority
        self.clock = clock

    def caseload(self) -> Caseload:
        """An empty desk, at the present instant."""
        return Caseload(self.rulebooks, self.clock.now(), self.renew)

    async def take(self, tx: Transaction, batch: Sequence[Received], watermark: Watermark) -> None:
        """Apply a batch of triage's decisions, actions and news of messages, in the order in which they happened."""
        ordered = sorted(batch, key=lambda received: received.recorded)
        caseload = self.caseload()
        await caseload.load(tx, [received.key for received in ordered])
        async for received in in_turns(ordered):
            self._apply(caseload, received, watermark)
        await caseload.record(tx)

    async def fire(self, tx: Transaction, due: Sequence[Due]) -> None:
        """Carry out what is due, and the inputs that waited for it; every case is armed again."""
        caseload = self.caseload()
        await caseload.load(tx, [each.case_id for each in due])
        for each in due:
            upto = micros(each.upto)
            caseload.touched.add(each.case_id)
            caseload.release(each.case_id, upto)
            first = caseload.due(each.case_id)
            if first is not None and first <= upto:
                caseload.decide(each.case_id, Tick(upto))
        await caseload.record(tx)

    async def recount(self, database: Database) -> int:
        """Count the deadlines of some open cases again whose calendars have changed; gives how many there were."""
        async with database.transaction() as tx:
            names = await storage.outdated(tx, self.rulebooks.calendar_stamp, RECOUNT_BATCH)
            caseload = self.caseload()
            await caseload.load(tx, names)
            for name in names:
                recount(caseload, name)
            await caseload.record(tx)
        return len(names)

    def _apply(self, caseload: Caseload, received: Received, watermark: Watermark) -> None:
        name = received.key
        if name.startswith(DUTY):  # news of a message about a procedure's own duty: there is no case
            return
        case = caseload.case(name)
        given = self._input(received, case)
        if isinstance(given, Opening):
            if case is None:  # a second opening is triage's repetition under another id: the first one counts
                caseload.decide(name, given, received.traceparent)
                caseload.release(name)
            return
        due = caseload.due(name)
        early = due is not None and due < micros(received.recorded) and not watermark.passed(received.partition, moment(due))
        if case is None or early or isinstance(given, Asked) or caseload.waits(name):
            caseload.hold(name, given, received.recorded)
        else:
            caseload.decide(name, given, received.traceparent)

    def _input(self, received: Received, case: Case | None) -> Opening | Act | Decided | Asked:
        event, cls = received.event, type(received.event)  # asking a model's class about an instance of another takes pydantic a while
        if cls is Action:
            return self._action(received, event, case)
        if cls not in _EVENTS:
            raise Rejected(f"{received.type} is no event that sla takes")
        if event.case != received.key:
            raise Rejected("the record's key is not the case that its body names: send it with the case as key")
        if cls in _DECISIONS and event.registered is not None:
            return event_mapping.opening(event, self.rulebooks.get(event.procedure, event.version, event.registered.parameters).procedure)
        cause = "message" if cls in _NEWS else "triage"
        at = micros(received.recorded)
        if case is None:
            return Decided(event.type, at, event_mapping.plain(event), cause)
        return event_mapping.decided(event, at, self.rulebooks.of(case).procedure, cause)

    def _action(self, received: Received, action: Action, case: Case | None) -> Act | Asked:
        if received.topic != CASE_ACTIONS.name or action.case != received.key:
            raise Rejected("the record's key is not the case that its action names: send it with the case as key", park=False)
        if action.action not in ACTIONS:
            raise Rejected(f"there is no action {action.action}; actions are {', '.join(sorted(ACTIONS))}", park=False)
        actor = self.authority.signer(received.topic, received.key, str(received.id), received.body, received.headers)
        if actor is None:
            raise Rejected("the action is not signed by anybody whom the organisation knows", park=False)
        if case is None:
            return Asked(action.model_dump(mode="json", by_alias=True, exclude_unset=True), actor.id, micros(received.recorded))
        return self.act(action, actor, case, received.recorded)

    def renew(self, asked: Asked, case: Case) -> Act:
        """An action that was asked for before its case was known."""
        return self.act(Action.model_validate(asked.action), self.authority.actor(asked.actor), case, moment(asked.at))

    def act(self, action: Action, actor: Actor, case: Case, at: datetime) -> Act:
        """An action as the core takes it, in a role that the actor holds; where he holds none such, it will be refused."""
        held = actor.roles(self.authority.organisation, case.department or case.proposed, at)
        role = action.role or (held[0] if len(held) == 1 else "")
        denied = ""
        if role and role not in held:
            denied = f"role: the actor does not hold {role} on this case; he holds {', '.join(held) or 'none'}"
        elif not role:
            denied = f"role is missing: the actor holds {', '.join(held) or 'none'}; name the one that acts"
        procedure = self.rulebooks.of(case).procedure
        return event_mapping.act(action.action, micros(at), (role, actor.id), action.data, procedure, denied)


class Actions:
    """Actions by HTTP: decided at once under the case's lock, in order with what was due before."""

    def __init__(self, cases: Cases, database: Database, watermark: Watermark, patience: float) -> None:
        self.cases = cases
        self.database = database
        self.watermark = watermark
        self.patience = patience

    async def act(self, action: Action, actor: Actor, idempotency_key: str | None) -> Answer:
        """Decide on an action; raises `Problem`: 404 unknown case, 403 not his, 409 parked, 422 wrong data."""
        answer, due = await self._try(action, actor, idempotency_key, last=False)
        if answer is None and due is not None:
            await self.watermark.wait_passed(partition_of(action.case, PARTITIONS), due, self.patience)
            answer, _ = await self._try(action, actor, idempotency_key, last=True)
        return cast("Answer", answer)

    async def _try(self, action: Action, actor: Actor, idempotency_key: str | None, *, last: bool) -> tuple[Answer | None, datetime | None]:
        async with self.database.transaction() as tx:
            if await parking.parked(tx, [action.case]):
                raise Problem(409, "the case is parked", "case: an earlier message of it failed; replay its dead letter first")
            caseload = self.cases.caseload()
            await caseload.load(tx, [action.case])
            case = caseload.case(action.case)
            if case is None:
                raise Problem(404, "there is no such case", "case: must be the id of a registered case")
            # Under the lock, not before: an action happens when it is accepted.
            at = caseload.now = max(self.cases.clock.now(), caseload.now)
            given = self._given(action, actor, case, at)
            due = caseload.due(case.id)
            early = due is not None and due < micros(at) and not self.watermark.passed(partition_of(case.id, PARTITIONS), moment(due))
            if (early or caseload.waits(case.id)) and not last:
                return None, at if due is None else moment(due)
            if await self._repeated(tx, actor, action.case, idempotency_key):
                return Answer([], repeated=True), None
            if early or caseload.waits(case.id):
                caseload.hold(case.id, given, at)
                await caseload.record(tx)
                return Answer([], waits=True), None
            events = caseload.decide(case.id, given)
            await caseload.record(tx)
            return Answer(events), None

    def _given(self, action: Action, actor: Actor, case: Case, at: datetime) -> Act:
        if not self.cases.authority.may_see(actor, (case.department, case.proposed, *case.cooperating)):
            raise Problem(404, "there is no such case", "case: must be the id of a registered case that concerns your department")
        if action.action not in ACTIONS:
            raise Problem(422, "there is no such action", f"action: must be one of {', '.join(sorted(ACTIONS))}")
        given = self.cases.act(action, actor, case, at)
        if given.denied:
            raise Problem(422 if not given.role else 403, "the action cannot be taken", given.denied)
        return given

    async def _repeated(self, tx: Transaction, actor: Actor, case: str, key: str | None) -> bool:
        """Whether the actor has sent this action before, under the same idempotency key."""
        if key is None:
            return False
        spent = uuid5(NAMESPACE_URL, f"{actor.id}\n{case}\n{key}")
        return await tx.fetchval(_SPENT, spent, "http-actions") is None


def fields(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Events as the answer to an action names them."""
    return [{"event": event.type, "at": moment(event.at).isoformat(), "sequence": event.sequence} for event in events]
