"""Publishes the outcome of deliveries: sent, delivered or failed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from services.notify.storage import event_numbers
from services.notify.storage.deliveries import DeliveryRow
from shared.contracts import topics
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.events import encode_event
from shared.contracts.events.notifications import NotificationDelivered, NotificationOutcome
from shared.runtime.database.database import Transaction
from shared.runtime.outbox import outbox

REQUEST_FIELDS = ("procedure", "version", "rule", "clause")
"""Fields of the request that the outcome's event repeats."""
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:jiesu:notification-event")


async def publish_outcomes(
    tx: Transaction,
    outcomes: Sequence[tuple[DeliveryRow, type[NotificationOutcome]]],
    at: datetime,
    reasons: Mapping[UUID, str] | None = None,
) -> None:
    """Add one event per outcome to the outbox; `at` is domain time, `reasons` (by delivery id) replace the reason stored in the row."""
    # A digest is no case's; the requests that it carries have events of their own.
    outcomes = [(row, cls) for row, cls in outcomes if not row.is_digest]
    if not outcomes:
        return
    numbers = await event_numbers.next_sequence_numbers(tx, [row.case_id for row, _ in outcomes])
    numbered = zip(outcomes, numbers, strict=True)
    await outbox.add(tx, [_message(row, cls, at, number, (reasons or {}).get(row.id, row.reason)) for (row, cls), number in numbered])


def _message(row: DeliveryRow, event_class: type[NotificationOutcome], at: datetime, number: int, reason: str) -> CloudEventRecord:
    # Only where it holds: the field is of one event, and an unset field is not published.
    acknowledged = {"acknowledged": True} if row.acknowledged and event_class is NotificationDelivered else {}
    event = event_class(
        case=row.case_id,
        at=at,
        sequence=number,
        by="notify",
        notification=row.notification,
        delivery=str(row.id),
        recipient=row.recipient,
        channel=row.channel,
        attempts=row.attempts,
        provider=row.provider,
        parts=row.parts,
        reason=reason if event_class.name == "notification_failed" else "",
        carried_by=str(row.carrier) if row.carrier else "",
        merged=row.merged,
        **orjson.loads(row.because),
        **acknowledged,
    )
    # The id follows from the outcome, so that the inbox of a consumer drops an outcome that is published twice.
    return CloudEventRecord(
        topic=topics.NOTIFICATION_EVENTS.name,
        key=row.case_id,
        id=str(uuid5(_NAMESPACE, f"{row.id}|{event_class.name}")),
        type=event_class.name,
        at=at,
        body=encode_event(event),
        source="notify",
        sequence=number,
        traceparent=row.traceparent,
    )
