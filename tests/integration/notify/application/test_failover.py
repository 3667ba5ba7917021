"""Several providers in a real database: failover, doubt that outlives the process, receipts by part."""

from typing import Any

import pytest

from services.notify.config import NotifySettings
from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.pool import ChannelPool, RatedProvider
from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, ReceiptStatus, SendAccepted, SendFailed
from services.notify.providers.providers_file import ProviderEntry
from shared.runtime.database.database import Database
from tests.integration.notify.notify_process import NotifyProcess, notification_request
from tests.support.waiting import wait_for

BUSY = SendFailed(FailureReason.BUSY, permanent=False, code="503")
IN_DOUBT = SendFailed(FailureReason.UNREACHABLE, permanent=False, in_doubt=True)
TWO_PARTS = SendAccepted("a1", ("a1", "a2"), 2)


class ScriptedCarrier:
    """Gives the results in turn, the last one for ever."""

    channel = "sms"

    def __init__(self, *results: SendAccepted | SendFailed) -> None:
        self.results = list(results)
        self.messages: list[OutgoingMessage] = []

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        self.messages.append(message)
        return self.results.pop(0) if len(self.results) > 1 else self.results[0]

    async def close(self) -> None:
        pass


def started(settings: NotifySettings, database: Database, first: ScriptedCarrier, second: ScriptedCarrier) -> NotifyProcess:
    members = [
        (ProviderEntry(id="first", channel="sms", kind="smpp"), first),
        (ProviderEntry(id="second", channel="sms", kind="smpp", weight=0), second),
    ]
    return NotifyProcess(settings, database, [ChannelPool(RatedProvider.of(entry, carrier) for entry, carrier in members)])


async def published(process: NotifyProcess) -> list[tuple[Any, ...]]:
    return [(event["type"], event["provider"], event["parts"]) for event in await process.outbox_events()]


async def test_event_and_row_name_the_provider_that_carried_the_message(settings: NotifySettings, database: Database) -> None:
    process = started(settings, database, ScriptedCarrier(BUSY), ScriptedCarrier(TWO_PARTS))
    await process.record_requests(notification_request(by=["sms"]))
    await process.run_cycle("sms")
    assert await published(process) == [("sent", "second", 2)]
    assert [(row["provider"], row["parts"], row["attempts"]) for row in await process.delivery_rows()] == [("second", 2, 1)]


async def test_doubt_keeps_a_message_at_its_provider_in_every_process(settings: NotifySettings, database: Database) -> None:
    second = ScriptedCarrier(SendAccepted("b"))
    process = started(settings, database, ScriptedCarrier(IN_DOUBT, BUSY), second)
    await process.record_requests(notification_request(by=["sms"]))
    for _ in range(2):
        assert await wait_for(lambda: process.run_cycle("sms")) == 1
    assert [row["provider"] for row in await process.delivery_rows()] == ["first"]
    restarted = started(settings, database, ScriptedCarrier(SendAccepted("a")), second)
    assert await wait_for(lambda: restarted.run_cycle("sms")) == 1
    assert second.messages == []
    assert await published(restarted) == [("sent", "first", 1)]


async def test_failure_names_the_provider_that_refused(settings: NotifySettings, database: Database) -> None:
    process = started(
        settings, database, ScriptedCarrier(SendFailed(FailureReason.REFUSED, permanent=True, code="0xb")), ScriptedCarrier(BUSY)
    )
    await process.record_requests(notification_request(by=["sms"]))
    await process.run_cycle("sms")
    assert await published(process) == [("failed", "first", 0)]


def receipt(reference: str, status: ReceiptStatus = ReceiptStatus.DELIVERED, code: str = "") -> DeliveryReceipt:
    return DeliveryReceipt("", status, code, reference)


@pytest.mark.parametrize("early", [(), ("a1",), ("a2", "a1")])
async def test_text_is_delivered_when_every_part_is(settings: NotifySettings, database: Database, early: tuple[str, ...]) -> None:
    process = started(settings, database, ScriptedCarrier(TWO_PARTS), ScriptedCarrier(BUSY))
    await process.record_requests(notification_request(by=["sms"]))
    for reference in early:
        assert await process.receipts.record(receipt(reference), "first") == "delivered"
    await process.run_cycle("sms")
    expected = [("sent", "first", 2)]
    for reference in sorted({"a1", "a2"} - set(early)):
        assert await published(process) == expected, "a part is missing"
        await process.receipts.record(receipt(reference), "first")
    await process.receipts.record(receipt("a1"), "first")
    assert await published(process) == [*expected, ("delivered", "first", 2)]


async def test_text_has_failed_when_one_part_has(settings: NotifySettings, database: Database) -> None:
    process = started(settings, database, ScriptedCarrier(TWO_PARTS), ScriptedCarrier(BUSY))
    await process.record_requests(notification_request(by=["sms"]))
    await process.run_cycle("sms")
    for each in (receipt("a1"), receipt("a2", ReceiptStatus.FAILED, "011"), receipt("a2"), receipt("a2", ReceiptStatus.UNDECIDED)):
        await process.receipts.record(each, "first")
    assert [(event["type"], event.get("reason", "")) for event in await process.outbox_events()] == [
        ("sent", ""),
        ("failed", "receipt: 011"),
    ]


async def test_same_id_of_another_provider_is_another_message(settings: NotifySettings, database: Database) -> None:
    process = started(settings, database, ScriptedCarrier(SendAccepted("a1", ("a1",), 1)), ScriptedCarrier(BUSY))
    await process.record_requests(notification_request(by=["sms"]))
    await process.run_cycle("sms")
    await process.receipts.record(receipt("a1"), "second")
    assert await published(process) == [("sent", "first", 1)]
    await process.receipts.record(receipt("a1"), "first")
    assert await published(process) == [("sent", "first", 1), ("delivered", "first", 1)]
