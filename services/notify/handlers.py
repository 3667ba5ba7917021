"""Consumes case-events and mail-events in batches: notification requests, and mail reports about messages."""

from collections.abc import Callable, Sequence

from services.notify.application.delivery_receipts import RecordReceipts
from services.notify.application.delivery_requests import PlanDeliveries
from services.notify.providers.provider import DeliveryReceipt, ReceiptStatus
from services.notify.storage import erasures
from shared.contracts import topics
from shared.contracts.events.from_work_to_closing import PersonErased
from shared.contracts.events.notifications import NotificationRequested
from shared.contracts.mail.reports import MailReport
from shared.runtime.database.database import Transaction
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.service import Service

MAIL_REPORT = "mail_report"
# Other types, the great majority, are skipped without being decoded.
EVENT_TYPES = {
    topics.CASE_EVENTS.name: frozenset({NotificationRequested.name, PersonErased.name}),
    topics.MAIL_EVENTS.name: frozenset({NotificationRequested.name, MAIL_REPORT}),
}


def register(service: Service, requests: PlanDeliveries, receipts: RecordReceipts, wake: Callable[[], None]) -> None:
    """Store the deliveries and receipts of each batch in one transaction; `wake` is called after it if a delivery is due now."""

    async def records(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        if await requests.record(tx, batch):
            tx.after_commit(wake)
        # `jiesu erase` did so before, unless a request was still unread then, or the tables are a restored backup's.
        if erased := [record.key for record in batch if record.type == PersonErased.name]:
            await erasures.erase_deliveries(tx, erased)
        # Sorted, since two transactions that lock the same deliveries in different orders end each other.
        for report in sorted((r.event for r in batch if isinstance(r.event, MailReport)), key=lambda report: report.delivery):
            await receipts.record_in(tx, DeliveryReceipt(report.delivery, ReceiptStatus(report.status), report.code))

    service.subscribe([topics.CASE_EVENTS, topics.MAIL_EVENTS], group="notify", handler=records, event_types=EVENT_TYPES)
