"""Digests in a real database with real peers: joined once, sent once, settled for every request that they carry."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import Response

from deploy.sinks import MailSink, SmsSink
from services.notify.config import NotifySettings
from services.notify.providers.provider import DeliveryReceipt, ReceiptStatus
from shared.contracts.topics import CASE_EVENTS
from shared.runtime.database.database import Database
from tests.integration.notify.notify_process import NotifyProcess, notification_request, outcomes
from tests.support.messaging.cloud_events import received_record
from tests.support.waiting import wait_for


@pytest.fixture
def settings(settings: NotifySettings) -> NotifySettings:
    return settings.model_copy(update={"digest_window": 900.0})


@pytest.fixture
async def process(settings: NotifySettings, database: Database) -> AsyncIterator[NotifyProcess]:
    started = NotifyProcess(settings, database)
    yield started
    await started.close()


def breach(number: int, **fields: Any) -> Any:
    values = {"number": f"TS-{number}", "title": "三日内答复", "clock": "reply", "overdue": True, "due_at": "2026-09-24T08:00:00+08:00"}
    return notification_request(f"c{number}", about="clock_breached", values=values, **fields)


async def make_due(process: NotifyProcess) -> None:
    """The window passes."""
    async with process.database.transaction() as tx:
        await tx.execute("UPDATE delivery SET due_at = now() WHERE status = 'collecting'")


async def statuses(process: NotifyProcess) -> Counter[str]:
    return Counter(row["status"] for row in await process.delivery_rows() if not row["case_id"].startswith("digest:"))


async def test_storm_is_two_single_messages_and_one_digest_that_names_every_case(process: NotifyProcess, mail: MailSink) -> None:
    await process.record_requests(*(breach(n) for n in range(600)))
    assert (await process.run_cycle(), await process.digests.close_due()) == (2, 0)
    await make_due(process)
    assert await process.digests.close_due() == 1
    assert await process.run_cycle() == 1
    messages = list(mail.message_file.messages.values())
    assert len(messages) == 3
    digest = messages[-1]
    assert digest["subject"] == "598 项待处理，598 项已超时"
    assert digest["text"].count("TS-") == 598
    assert await process.publish_carried() == 2  # 500 and 98
    events = await process.outbox_events()
    assert Counter(event["type"] for event in events) == {"sent": 600}
    assert len({event["case"] for event in events}) == len({event["delivery"] for event in events}) == 600
    carriers = Counter((event.get("carried_by", ""), event.get("merged", "")) for event in events)
    [digest_row] = [row for row in await process.delivery_rows() if row["case_id"] == "digest:li"]
    assert carriers == {("", ""): 2, (str(digest_row["id"]), "digest"): 598}
    assert {row["text"] + row["line"] + row["address"] for row in await process.delivery_rows()} == {""}


async def test_urgent_requests_go_at_once_and_first(process: NotifyProcess, mail: MailSink) -> None:
    await process.record_requests(*(breach(n) for n in range(20)), breach(20, urgent=True))
    assert [row.case_id for row in await process.claim(limit=1)] == ["c20"]
    assert await process.run_cycle() == 1  # the other single message
    await process.record_requests(breach(21, urgent=True))
    assert await process.run_cycle() == 1
    await process.record_requests(breach(22, urgent=True), breach(23, urgent=True))
    assert await process.run_cycle() == 0
    collecting = [row["priority"] for row in await process.delivery_rows() if row["status"] == "collecting"]
    assert sorted(collecting) == [0, 1]
    await make_due(process)
    await process.digests.close_due()
    assert [row.priority for row in await process.claim(limit=1)] == [0]
    assert len(mail.message_file.messages) == 2


async def test_digest_of_one_request_keeps_its_own_words(process: NotifyProcess, mail: MailSink) -> None:
    await process.record_requests(*(breach(n) for n in range(3)))
    await make_due(process)
    await process.digests.close_due()
    await process.run_cycle()
    subjects = sorted(message["subject"] for message in mail.message_file.messages.values())
    assert subjects == [f"超时：投诉单 TS-{n} 三日内答复" for n in range(3)]


async def test_repeated_requests_join_once(process: NotifyProcess) -> None:
    requests = [breach(n, notification=f"n{n}") for n in range(8)]
    await process.record_requests(*requests, *requests)
    await process.record_requests(*requests)
    rows = await process.delivery_rows()
    assert (len(rows), sum(row["carrier"] is not None for row in rows)) == (9, 6)


async def test_rolled_back_batch_leaves_no_digest_and_no_pace(process: NotifyProcess) -> None:
    records = [received_record(CASE_EVENTS, breach(n), "sla") for n in range(5)]

    async def killed() -> None:
        async with process.database.transaction() as tx:
            await process.requests.record(tx, records)
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        await killed()
    assert await process.delivery_rows() == []
    async with process.database.transaction() as tx:
        await process.requests.record(tx, records)
    assert Counter(row["status"] for row in await process.delivery_rows()) == {"pending": 5, "collecting": 1}


async def test_kill_between_sending_settling_and_publishing_loses_and_doubles_nothing(process: NotifyProcess, mail: MailSink) -> None:
    await process.record_requests(*(breach(n) for n in range(1200)))
    await process.run_cycle()
    await make_due(process)
    await process.digests.close_due()
    interrupted = await process.send(await process.claim(lease=0.05))
    assert await wait_for(process.run_cycle) == 1
    await process.settle(interrupted)  # its fence is older
    assert mail.message_file.duplicates == 1, "SMTP cannot recognise a repeat, but the Message-ID is the same"
    assert await process.carried.publish_next() == 500
    assert await process.publish_carried() == 2
    events = await process.outbox_events()
    assert Counter(Counter(event["case"] for event in events).values()) == {1: 1200}
    assert await process.carried.publish_next() is None


async def test_requests_that_join_while_a_digest_is_closed_are_in_one_or_the_next(settings: NotifySettings, process: NotifyProcess) -> None:
    database = Database(settings, "notify")
    other = NotifyProcess(settings, database)
    await process.record_requests(*(breach(n) for n in range(3)))

    async def join(joining: NotifyProcess, first: int) -> None:
        for n in range(first, first + 40, 4):
            await joining.record_requests(*(breach(each) for each in range(n, n + 4)))

    async def close() -> None:
        for _ in range(20):
            await make_due(process)
            await process.digests.close_due()

    await asyncio.gather(join(process, 10), join(other, 110), close())
    await make_due(process)
    await process.digests.close_due()
    while await process.run_cycle():
        await process.publish_carried()
    assert await statuses(process) == {"sent": 83}
    events = await process.outbox_events()
    assert Counter(event["type"] for event in events) == {"sent": 83}
    assert len({event["case"] for event in events}) == 83
    await other.close()
    await database.close()


async def test_digest_that_fails_finally_fails_each_request(process: NotifyProcess, sms: SmsSink) -> None:
    await process.record_requests(*(breach(n, by=["sms"]) for n in range(2)))
    await process.run_cycle("sms")
    sms.queued_responses.extend(Response(status_code=503) for _ in range(3))
    await process.record_requests(*(breach(n, by=["sms"]) for n in range(2, 9)))
    await make_due(process)
    await process.digests.close_due()
    for _ in range(3):
        assert await wait_for(lambda: process.run_cycle("sms")) == 1
    await process.publish_carried()
    failed = [event for event in await process.outbox_events() if event["type"] == "failed"]
    assert outcomes(failed) == [("failed", "li", "sms", 3, "busy: 503")] * 7
    assert sorted(event["case"] for event in failed) == [f"c{n}" for n in range(2, 9)]
    assert await statuses(process) == {"sent": 2, "failed": 7}


async def test_receipt_settles_each_request_of_a_digest(process: NotifyProcess, sms: SmsSink) -> None:
    await process.record_requests(*(breach(n, by=["sms"]) for n in range(6)))
    await process.run_cycle("sms")
    await make_due(process)
    await process.digests.close_due()
    await process.run_cycle("sms")
    [digest] = [row["id"] for row in await process.delivery_rows() if row["case_id"] == "digest:li"]
    for _ in range(2):
        receipt = DeliveryReceipt(str(digest), ReceiptStatus.DELIVERED, acknowledged=True)
        assert await process.receipts.record(receipt) == "delivered"
    await process.publish_carried()
    assert await statuses(process) == {"sent": 2, "delivered": 4}
    assert Counter((event["type"], event.get("acknowledged")) for event in await process.outbox_events()) == {
        ("sent", None): 6,
        ("delivered", True): 4,
    }
    numbered = Counter((event["case"], event["sequence"]) for event in await process.outbox_events())
    assert set(numbered.values()) == {1}
    text = list(sms.message_file.messages.values())[-1]["text"]
    assert text == "【接诉】4 项待处理，4 项已超时。最急：TS-2、TS-3、TS-4。详情请查邮件或系统。"


async def test_early_failed_then_delivered_receipt_of_a_digest_is_delivered(process: NotifyProcess) -> None:
    await process.record_requests(*(breach(n, by=["sms"]) for n in range(6)))
    await make_due(process)
    await process.digests.close_due()
    [digest] = [row["id"] for row in await process.delivery_rows() if row["case_id"] == "digest:li"]
    await process.receipts.record(DeliveryReceipt(str(digest), ReceiptStatus.FAILED, "E1"))
    await process.publish_carried()
    await process.receipts.record(DeliveryReceipt(str(digest), ReceiptStatus.DELIVERED))
    await process.publish_carried()
    assert await statuses(process) == {"pending": 2, "delivered": 4}
    assert Counter(event["type"] for event in await process.outbox_events()) == {"failed": 4, "sent": 4, "delivered": 4}


@pytest.mark.parametrize("first_is_sent", [False, True])
async def test_person_with_two_roles_reads_the_same_thing_once(process: NotifyProcess, mail: MailSink, first_is_sent: bool) -> None:
    await process.record_requests(breach(1, notification="n1", recipients=["owner"]))
    if first_is_sent:
        await process.run_cycle()
    await process.record_requests(breach(1, notification="n2", recipients=["supervisor"]), breach(2))
    while await process.run_cycle():
        pass
    await process.publish_carried()
    assert len(mail.message_file.messages) == 2
    first, *_ = rows = await process.delivery_rows()
    assert {(row["notification"], row["merged"], row["carrier"]) for row in rows if row["case_id"] == "c1"} == {
        ("n1", "", None),
        ("n2", "duplicate", first["id"]),
    }
    told = {event["notification"]: (event["type"], event.get("carried_by", "")) for event in await process.outbox_events()}
    assert (told["n1"], told["n2"]) == (("sent", ""), ("sent", str(first["id"])))


async def test_duplicates_of_one_batch_share_the_message_or_the_digest(process: NotifyProcess, mail: MailSink) -> None:
    requests = [breach(n, notification=f"n{n}-{role}", recipients=[role]) for n in range(5) for role in ("owner", "supervisor")]
    await process.record_requests(*requests)
    await make_due(process)
    await process.digests.close_due()
    await process.run_cycle()
    await process.publish_carried()
    assert len(mail.message_file.messages) == 3
    assert sorted("3 项待处理" in message["subject"] for message in mail.message_file.messages.values()) == [False, False, True]
    assert Counter(event.get("merged", "") for event in await process.outbox_events()) == {"": 2, "digest": 3, "duplicate": 5}


async def test_request_after_a_failed_duplicate_is_sent_by_itself(process: NotifyProcess, mail: MailSink) -> None:
    mail.queued_replies.append("550 5.1.1 no such user")
    await process.record_requests(breach(1, notification="n1"))
    await process.run_cycle()
    await process.record_requests(breach(1, notification="n2"))
    assert await process.run_cycle() == 1
    assert [(event["type"], event.get("merged", "")) for event in await process.outbox_events()] == [("failed", ""), ("sent", "")]


async def test_complainants_get_a_message_each(process: NotifyProcess, mail: MailSink) -> None:
    requests = [notification_request(f"c{n}", recipients=["complainant"], persons=[], about="closed") for n in range(9)]
    await process.record_requests(*requests)
    assert await process.run_cycle() == 9
    assert len(mail.message_file.messages) == 9
