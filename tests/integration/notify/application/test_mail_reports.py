"""What intake read in mails about messages: a bounce fails its delivery, once, and an automatic reply shows that it arrived."""

from typing import Any, cast
from uuid import uuid4

import pytest

from services.notify import handlers
from shared.contracts.mail.reports import MailReport
from shared.runtime.service import Service
from tests.integration.notify.notify_process import NotifyProcess, notification_request


class HandlerOfNotify:
    """Stands for the service: keeps the handler that notify subscribes."""

    def __init__(self, process: NotifyProcess) -> None:
        self.topics: list[str] = []
        self._process = process
        handlers.register(cast("Service", self), process.requests, process.receipts, lambda: None)

    def subscribe(self, topics: list[Any], **options: Any) -> None:
        self.topics = [topic.name for topic in topics]
        self._handler = options["handler"]

    async def handle(self, *reports: MailReport) -> None:
        class Record:
            def __init__(self, event: MailReport) -> None:
                self.event, self.type, self.key = event, handlers.MAIL_REPORT, event.case

        async with self._process.database.transaction() as tx:
            await self._handler(tx, [Record(report) for report in reports])


@pytest.mark.parametrize(
    ("status", "code", "expected", "reason"),
    [("failed", "5.1.1", "failed", "receipt: 5.1.1"), ("delivered", "auto_reply", "delivered", "")],
)
async def test_report_settles_its_delivery_once(process: NotifyProcess, status: Any, code: str, expected: str, reason: str) -> None:
    await process.record_requests(notification_request(by=["email"]))
    await process.run_cycle("email")
    [row] = await process.delivery_rows()
    handler = HandlerOfNotify(process)
    assert handler.topics == ["case-events", "mail-events"]
    report = MailReport(delivery=str(row["id"]), case=row["case_id"], status=status, code=code)
    unknown = [MailReport(delivery=name, status="failed") for name in (str(uuid4()), "no uuid")]
    for _ in range(2):
        await handler.handle(report, *unknown)
    events = await process.outbox_events()
    assert [event["type"] for event in events] == ["sent", expected]
    assert events[1].get("reason", "") == reason
