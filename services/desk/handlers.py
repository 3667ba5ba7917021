"""Consumes complaint-events, case-events and notification-events in batches, each of which is one transaction."""

from collections.abc import Sequence

from services.desk import metrics
from services.desk.application.projecting import ProjectRecords
from shared.contracts import topics
from shared.runtime.database.database import Transaction
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.service import Service

# Without triage-events and mail-events: sla repeats the decisions of triage on case-events, and notify the mail reports on its own topic.
TOPICS = (topics.COMPLAINT_EVENTS, topics.CASE_EVENTS, topics.NOTIFICATION_EVENTS)


def register(service: Service, projection: ProjectRecords) -> None:
    """Subscribe the read model to the topics."""

    async def records(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        await projection.apply(tx, [(record.topic, record.event, record.body) for record in batch])

        def count() -> None:
            for record in batch:
                metrics.PROJECTED.labels(record.topic).inc()

        tx.after_commit(count)

    service.subscribe(list(TOPICS), group="desk", handler=records)
