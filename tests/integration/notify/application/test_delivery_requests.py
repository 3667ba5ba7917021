"""Notification requests become deliveries once, and those that can never be sent fail at once."""

from deploy.sinks import MailSink
from tests.integration.notify.notify_process import NotifyProcess, notification_request, outcomes


async def test_repeated_request_creates_no_delivery(process: NotifyProcess, mail: MailSink) -> None:
    event = notification_request(notification="n1")
    await process.record_requests(event, event)
    await process.run_cycle()
    await process.record_requests(event)
    assert await process.run_cycle() == 0
    assert (len(mail.message_file.messages), len(await process.outbox_events())) == (1, 1)


async def test_recipient_without_an_address_fails_at_once(process: NotifyProcess) -> None:
    await process.record_requests(
        notification_request(persons=["he"], by=["email", "sms"]),
        notification_request("c2", persons=[], recipients=["manager"]),
        notification_request("c3", recipients=["complainant"], persons=[], contact="k9.unknown"),
        notification_request("c4", by=["fax"]),
    )
    assert await process.run_cycle() == 0
    assert sorted(outcomes(await process.outbox_events())) == [
        ("failed", "complainant", "email", 0, "sealed"),
        ("failed", "he", "email", 0, "no_address"),
        ("failed", "he", "sms", 0, "no_address"),
        ("failed", "li", "fax", 0, "no_provider"),
        ("failed", "manager", "email", 0, "vacant"),
    ]
