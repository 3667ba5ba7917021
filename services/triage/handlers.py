"""Consumes registrations and case events in batches; each batch is one transaction."""

from collections.abc import Sequence

from services.triage import metrics
from services.triage.application.party_following import follow_parties
from services.triage.application.triage import TriageComplaints
from services.triage.domain.assess import TRIAGE
from services.triage.domain.event_bounds import EventBoundsError, require_decidable
from services.triage.domain.followed_parties import OWN_ROUTES, PARTY_EVENTS
from services.triage.domain.state import FOLLOWED_EVENTS
from services.triage.storage import erasures
from shared.contracts import topics
from shared.contracts.events import CaseEvent
from shared.contracts.events.from_work_to_closing import Linked, PersonErased, Unlinked
from shared.contracts.events.triage import Classified, Registered
from shared.contracts.events.up_to_approval import Amended
from shared.runtime.clock import Clock
from shared.runtime.database.database import Transaction
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.service import Service
from shared.runtime.tracing.context import exemplar

EVENT_TYPES = {
    topics.COMPLAINT_EVENTS.name: frozenset({Registered.name}),
    topics.CASE_EVENTS.name: FOLLOWED_EVENTS | PARTY_EVENTS | {PersonErased.name},
}
"""Topic → event types that are processed; sla repeats `registered` on case-events, where it is skipped."""
_UNDECIDED = PARTY_EVENTS | {PersonErased.name}
OWN_ECHOES = frozenset((event.name, TRIAGE) for event in (Classified, Amended, Linked, Unlinked)) | OWN_ROUTES
"""Event type and `by` of triage's own decisions, which sla publishes on case-events and triage skips."""


def verify_record(received: ReceivedRecord) -> None:
    """Raises what makes a dead letter of an event on which triage could not decide, or whose decision it could not store."""
    event = received.event
    if not isinstance(event, CaseEvent):
        return
    try:
        require_decidable(event, received.raw.body or b"")
    except EventBoundsError as error:
        raise Rejected(str(error)) from error


def measure_routing(batch: Sequence[ReceivedRecord], clock: Clock) -> None:
    """Observe the time from each registration of the batch to its decision, which has just been committed."""
    now = clock.real_now()
    for record in batch:
        if isinstance(record.event, Registered):
            seconds = (now - clock.to_real(record.event.at)).total_seconds()
            metrics.ROUTING_SECONDS.labels(record.event.procedure).observe(max(0.0, seconds), exemplar(record.traceparent))


def register(service: Service, triage: TriageComplaints) -> None:
    """Subscribe triage to complaint events and case events."""

    async def events(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        await triage.decide_batch(tx, [record for record in batch if record.type not in _UNDECIDED])
        tx.after_commit(lambda: measure_routing(batch, service.clock))
        await follow_parties(tx, [record.event for record in batch if record.type in PARTY_EVENTS])
        # `jiesu erase` did so before, unless a record of the case was still unread then, or the tables are a restored backup's.
        if erased := [record.key for record in batch if record.type == PersonErased.name]:
            await erasures.erase_cases(tx, erased, ())

    inputs = [topics.COMPLAINT_EVENTS, topics.CASE_EVENTS]
    service.subscribe(inputs, group="triage", handler=events, verify=verify_record, event_types=EVENT_TYPES, own_echoes=OWN_ECHOES)
