"""Register submissions: settle what comes again, give gapless numbers, seal contact data, tell triage. One transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import orjson

from services.intake import metrics
from services.intake.domain.submission import NAMESPACE, Draft, Office, draft, implausible, registered
from services.intake.domain.submission_faults import Fault
from services.intake.storage import complaints
from services.intake.storage.complaints import Earlier, Refusal, Row
from shared.contracts import topics
from shared.contracts.complaint import Submission
from shared.contracts.envelope import Message
from shared.contracts.events import encode
from shared.contracts.events.triage import Registered
from shared.runtime.clock import Clock
from shared.runtime.database.database import Transaction
from shared.runtime.encryption import Sealing
from shared.runtime.outbox import outbox
from shared.runtime.process.scheduling import in_turns


@dataclass(frozen=True, slots=True)
class Incoming:
    """A submission that is fit to be registered: its office, its case's id, the SHA-256 of what was sent.

    `exact` says that the id comes from an Idempotency-Key, under which only the same submission may come again.
    """

    submission: Submission
    office: Office
    case: str
    fingerprint: bytes
    traceparent: str | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a submission: `registered`, `duplicate` (the same case) or `refused`."""

    status: str
    case: str = ""
    number: str = ""
    missing: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    reason: str = ""


def refusal(reason: str, *faults: Fault) -> Outcome:
    """A submission that is not accepted."""
    return Outcome("refused", faults=faults, reason=reason)


class Register:
    """Enters submissions in the numbered books."""

    def __init__(self, sealing: Sealing, clock: Clock) -> None:
        self._sealing = sealing
        self._clock = clock

    def check(self, submission: Submission, office: Office) -> Outcome | None:
        """What the source or the time of receipt forbids, None if nothing."""
        if submission.source not in (None, office.source.id):
            return refusal("source", Fault("source", "not_yours", "leave it out, or send the id of the key's own source"))
        if not office.accepts(submission.channel):
            allowed = ", ".join(office.source.channels)
            return refusal("channel", Fault("channel", "not_allowed", f"the source may submit on: {allowed}"))
        fault = implausible(submission.received_at, self._clock.now())
        return None if fault is None else refusal("implausible", fault)

    async def enter(self, tx: Transaction, incoming: Sequence[Incoming], via: str) -> list[Outcome]:
        """Register those that are new, in order; one outcome each."""
        now = self._clock.now()
        drafts: dict[str, Draft] = {}
        first: dict[str, Incoming] = {}
        async for each in in_turns(incoming):
            if each.case not in first:
                first[each.case] = each
                drafts[each.case] = draft(each.submission, each.office, each.case, now)
        books = await complaints.lock(tx, {made.book for made in drafts.values()})
        known = await complaints.earlier(tx, drafts.keys())
        events = {case: self._numbered(made, books) async for case, made in in_turns(drafts.items()) if case not in known}
        await self._record(tx, events, first)
        await complaints.advance(tx, {book: last for book, last in books.items() if any(drafts[c].book == book for c in events)})
        outcomes = _outcomes(incoming, first, events, known)
        tx.after_commit(lambda: _count(outcomes, events, via))
        return outcomes

    def _numbered(self, made: Draft, books: dict[Any, int]) -> Registered:
        books[made.book] += 1
        contact = None if made.contact is None else self._sealing.seal(made.contact, made.case)
        return registered(made, books[made.book], contact)

    async def _record(self, tx: Transaction, events: dict[str, Registered], first: dict[str, Incoming]) -> None:
        bodies = {case: encode(event) for case, event in events.items()}
        await complaints.insert(tx, [_row(event, first[case], bodies[case]) for case, event in events.items()])
        await outbox.add(tx, (_message(event, first[case], bodies[case]) for case, event in events.items()))


def _outcomes(
    incoming: Sequence[Incoming], first: dict[str, Incoming], events: dict[str, Registered], known: dict[str, Earlier]
) -> list[Outcome]:
    seen: set[str] = set()
    outcomes: list[Outcome] = []
    for each in incoming:
        event, before = events.get(each.case), known.get(each.case)
        number = event.number if event else before.number if before else ""
        missing = tuple(event.missing) if event else before.missing if before else ()
        fingerprint = before.fingerprint if before else first[each.case].fingerprint
        if each.exact and fingerprint != each.fingerprint:
            outcomes.append(refusal("key_reused", Fault("Idempotency-Key", "used_before", "send a new key with a new complaint")))
        else:
            new = event is not None and each.case not in seen
            outcomes.append(Outcome("registered" if new else "duplicate", each.case, number, missing))
        seen.add(each.case)
    return outcomes


def _row(event: Registered, incoming: Incoming, body: bytes) -> Row:
    complaint = event.complaint
    return Row(
        case_id=event.case,
        number=event.number,
        source=complaint.source,
        channel=complaint.channel,
        external_id=complaint.external_id,
        received_at=complaint.received_at,
        registered_at=complaint.registered_at,
        fingerprint=incoming.fingerprint,
        body=body.decode(),
    )


def _message(event: Registered, incoming: Incoming, body: bytes) -> Message:
    return Message(
        topic=topics.COMPLAINT_EVENTS.name,
        key=event.case,
        id=str(event_id(event.case)),
        type=event.type,
        at=event.at,
        body=body,
        source="intake",
        sequence=1,
        traceparent=incoming.traceparent,
    )


def event_id(case: str) -> UUID:
    """The id of a case's registration: there is only one."""
    return uuid5(NAMESPACE, f"registered {case}")


def _count(outcomes: Sequence[Outcome], events: dict[str, Registered], via: str) -> None:
    for event in events.values():
        metrics.REGISTERED.labels(event.procedure, event.complaint.channel).inc()
        if event.missing:
            metrics.INCOMPLETE.labels(event.procedure).inc()
    for outcome in outcomes:
        if outcome.status == "duplicate":
            metrics.DUPLICATES.labels(via).inc()
        elif outcome.status == "refused":
            metrics.refused(via, outcome.reason)


def refused_row(outcome: Outcome, via: str, source: str, reference: str) -> Refusal:
    """A refusal as it is kept: which fields broke which rule, no content."""
    faults = orjson.dumps([{"field": f.field, "rule": f.rule} for f in outcome.faults]).decode()
    return Refusal(via, source, reference, outcome.reason, faults)
