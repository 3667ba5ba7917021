"""What notify says on its topic: a message was sent, arrived, or finally failed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from services.notify.storage import deliveries
from services.notify.storage.deliveries import DeliveryRow
from shared.contracts import topics
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.events import encode_event
from shared.contracts.events.notifications import NotificationOutcome
from shared.runtime.database.database import Transaction
from shared.runtime.outbox import outbox

REQUEST_FIELDS = ("procedure", "version", "rule", "clause")
"""Fields of the request that its outcomes repeat."""
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:jiesu:notification-event")


async def publish_outcomes(
    tx: Transaction,
    outcomes: Sequence[tuple[DeliveryRow, type[NotificationOutcome]]],
    at: datetime,
    reasons: Mapping[UUID, str] | None = None,
) -> None:
    """Put one event an outcome into the outbox; `at` is domain time, a reason that is not given is the delivery's own."""
    if not outcomes:
        return
    numbers = await deliveries.next_sequence_numbers(tx, [row.case_id for row, _ in outcomes])
    given = reasons or {}
    await outbox.add(
        tx,
        [
            _message(row, outcome, at, number, given.get(row.id, row.reason))
            for (row, outcome), number in zip(outcomes, numbers, strict=True)
        ],
    )


def _message(row: DeliveryRow, outcome: type[NotificationOutcome], at: datetime, number: int, reason: str) -> CloudEventRecord:
    event = outcome(
        case=row.case_id,
        at=at,
        sequence=number,
        by="notify",
        notification=row.notification,
        delivery=str(row.id),
        recipient=row.recipient,
        channel=row.channel,
        attempts=row.attempts,
        reason=reason if outcome.name == "notification_failed" else "",
        **orjson.loads(row.because),
    )
    return CloudEventRecord(
        topic=topics.NOTIFICATION_EVENTS.name,
        key=row.case_id,
        id=str(uuid5(_NAMESPACE, f"{row.id}|{outcome.name}")),
        type=outcome.name,
        at=at,
        body=encode_event(event),
        source="notify",
        sequence=number,
        traceparent=row.traceparent,
    )
