"""The Kafka edge: registrations, and the news of cases that triage has a use for, a batch a transaction."""

from collections.abc import Sequence

from pydantic import BaseModel

from services.triage.domain.assess import TRIAGE
from services.triage.domain.desk import FOLLOWED
from services.triage.usecases import Triage
from shared.contracts import topics
from shared.contracts.events import CaseEvent, decode
from shared.contracts.events.triage import Classified, Registered
from shared.runtime.app import Service
from shared.runtime.database import Transaction
from shared.runtime.errors import Rejected
from shared.runtime.records import Received


class Unconcerned(BaseModel):
    """Any other event; not even read, so that one of a kind that is newer than we are does no harm."""


def read(name: str, body: bytes) -> BaseModel:
    """A registration or news that triage follows, else `Unconcerned`. Raises pydantic's ValidationError."""
    return decode(name, body) if name in FOLLOWED or name == Registered.name else Unconcerned()


def verify(received: Received) -> None:
    """Raises Rejected where key and body name different cases."""
    if isinstance(received.event, CaseEvent) and received.event.case != received.key:
        raise Rejected("the record's key is not the case of its event")


def register(service: Service, triage: Triage) -> None:
    """Feed complaint events and case events to triage; a case's own `registered`, as sla repeats it, is not one of intake's."""

    async def events(tx: Transaction, batch: Sequence[Received]) -> None:
        wanted = [r for r in batch if _concerns(r)]
        if wanted:
            await triage.decide(tx, wanted)

    service.subscribe([topics.COMPLAINT_EVENTS, topics.CASE_EVENTS], group="triage", handler=events, decode=read, verify=verify)


def _concerns(received: Received) -> bool:
    if isinstance(received.event, Unconcerned):
        return False
    if isinstance(received.event, Classified) and received.event.by == TRIAGE:  # our own decision, as sla repeats it
        return False
    return isinstance(received.event, Registered) == (received.topic == topics.COMPLAINT_EVENTS.name)
