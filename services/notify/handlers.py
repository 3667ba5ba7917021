"""Consumes case-events in batches; of these, notify reads notification requests only."""

from collections.abc import Callable, Sequence

from services.notify.application.delivery_requests import PlanDeliveries
from shared.contracts import topics
from shared.contracts.events.notifications import NotificationRequested
from shared.runtime.database.database import Transaction
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.service import Service

# Other types, the great majority, are skipped without being decoded.
EVENT_TYPES = {topics.CASE_EVENTS.name: frozenset({NotificationRequested.name})}


def register(service: Service, requests: PlanDeliveries, wake: Callable[[], None]) -> None:
    """Store the deliveries of each batch in one transaction; `wake` is called after the commit if a delivery is due now."""

    async def case_events(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        if await requests.record(tx, batch):
            tx.after_commit(wake)

    service.subscribe([topics.CASE_EVENTS], group="notify", handler=case_events, event_types=EVENT_TYPES)
