"""The Kafka edge: case events in; only requests for notification concern us."""

from collections.abc import Callable, Sequence

from pydantic import BaseModel

from services.notify.usecases import Requests
from shared.contracts import topics
from shared.contracts.events.messages import NotificationRequested
from shared.runtime.app import Service
from shared.runtime.database import Transaction
from shared.runtime.records import Received


class Unconcerned(BaseModel):
    """Any other case event; not even read, so that one of a kind that is newer than we are does no harm."""


def decode(name: str, body: bytes) -> BaseModel:
    """A request for notification, or `Unconcerned`. Raises pydantic's ValidationError."""
    return NotificationRequested.model_validate_json(body) if name == NotificationRequested.name else Unconcerned()


def register(service: Service, requests: Requests, wake: Callable[[], None]) -> None:
    """Feed case events to notify, a batch a transaction; `wake` is called when something waits for being sent."""

    async def case_events(tx: Transaction, batch: Sequence[Received]) -> None:
        if await requests.record(tx, batch):
            tx.after_commit(wake)

    service.subscribe([topics.CASE_EVENTS], group="notify", handler=case_events, decode=decode)
