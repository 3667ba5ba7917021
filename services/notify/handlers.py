"""The Kafka edge: case events in; only requests for notification concern us."""

from collections.abc import Callable, Sequence

from services.notify.application.deliveries import PlanDeliveries
from shared.contracts import topics
from shared.contracts.events.notifications import NotificationRequested
from shared.runtime.database.database import Transaction
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.service import Service

EVENT_TYPES = {topics.CASE_EVENTS.name: frozenset({NotificationRequested.name})}


def register(service: Service, requests: PlanDeliveries, wake: Callable[[], None]) -> None:
    """Feed case events to notify, a batch a transaction; `wake` is called when something waits for being sent."""

    async def case_events(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        if await requests.record(tx, batch):
            tx.after_commit(wake)

    service.subscribe([topics.CASE_EVENTS], group="notify", handler=case_events, event_types=EVENT_TYPES)
