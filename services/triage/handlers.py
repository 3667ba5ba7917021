"""The Kafka edge: registrations, and the news of cases that triage has a use for, a batch a transaction."""

from collections.abc import Sequence

from services.triage.application.triage import TriageComplaints
from services.triage.domain.assess import TRIAGE
from services.triage.domain.state import FOLLOWED_EVENTS
from shared.contracts import topics
from shared.contracts.events import CaseEvent
from shared.contracts.events.triage import Classified, Registered
from shared.runtime.database.database import Transaction
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.service import Service

EVENT_TYPES = {topics.COMPLAINT_EVENTS.name: frozenset({Registered.name}), topics.CASE_EVENTS.name: FOLLOWED_EVENTS}
"""A case's own `registered`, as sla repeats it, is not one of intake's."""
OWN_ECHOES = frozenset({(Classified.name, TRIAGE)})
"""Every case's first classification comes back from sla."""


def verify_case_key(received: ReceivedRecord) -> None:
    """Raises Rejected where key and body name different cases."""
    if isinstance(received.event, CaseEvent) and received.event.case != received.key:
        raise Rejected("the record's key is not the case of its event")


def register(service: Service, triage: TriageComplaints) -> None:
    """Feed complaint events and case events to triage."""

    async def events(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        await triage.decide_batch(tx, batch)

    inputs = [topics.COMPLAINT_EVENTS, topics.CASE_EVENTS]
    service.subscribe(inputs, group="triage", handler=events, verify=verify_case_key, event_types=EVENT_TYPES, own_echoes=OWN_ECHOES)
