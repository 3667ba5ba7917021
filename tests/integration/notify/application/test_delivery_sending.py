"""Deliveries in a real database with real peers: sent once, fenced, retried, finally failed."""

import asyncio
import json
from contextlib import ExitStack
from dataclasses import replace

from fastapi import Response

from deploy.sinks import MailSink, SmsSink
from services.notify.config import NotifySettings
from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.lanes import delivery_lane
from services.notify.providers.pool_building import single_provider_pool
from services.notify.providers.provider import OutgoingMessage, SendAccepted, SendFailed
from shared.runtime.database.database import Database
from tests.integration.notify.notify_process import PERSONAL_DATA, NotifyProcess, notification_request, outcomes
from tests.support.waiting import wait_for


async def test_request_is_sent_once_per_channel_and_published(process: NotifyProcess, mail: MailSink, sms: SmsSink) -> None:
    await process.record_requests(notification_request(by=["email", "sms"], values={"number": "TS-1"}))
    assert [await process.run_cycle(channel) for channel in ("email", "sms")] == [1, 1]
    assert [await process.run_cycle(channel) for channel in ("email", "sms")] == [0, 0]
    [mail_message], [text_message] = mail.message_file.messages.values(), sms.message_file.messages.values()
    assert (mail_message["to"], mail_message["subject"]) == (["li@example.com"], "待办：投诉单 TS-1")
    assert (text_message["to"], text_message["text"][:11]) == ("+8613800000001", "【接诉】待办：投诉单 ")
    events = await process.outbox_events()
    assert outcomes(events) == [("sent", "li", "email", 1, ""), ("sent", "li", "sms", 1, "")]
    assert [(event["sequence"], event["clause"], event["by"]) for event in events] == [(1, "3.6", "notify"), (2, "3.6", "notify")]
    assert [(row["status"], row["address"], row["text"]) for row in await process.delivery_rows()] == [("sent", "", "")] * 2


async def test_message_to_the_complainant_leaves_no_personal_data_in_events_and_settled_rows(
    process: NotifyProcess, mail: MailSink
) -> None:
    await process.record_requests(notification_request(recipients=["complainant"], persons=[], about="closed"))
    stored = json.dumps(await process.delivery_rows(), default=str, ensure_ascii=False)
    await process.run_cycle()
    [message] = mail.message_file.messages.values()
    assert message["to"] == ["wang@example.org"]
    published = json.dumps([await process.outbox_events(), await process.delivery_rows()], default=str, ensure_ascii=False)
    assert [word for word in PERSONAL_DATA if word in stored + published] == []


async def test_busy_provider_is_retried_until_it_accepts(process: NotifyProcess, mail: MailSink) -> None:
    mail.queued_replies.extend(["451 4.7.1 later", "421 not now"])
    await process.record_requests(notification_request())
    for _ in range(3):
        assert await wait_for(process.run_cycle) == 1
    assert outcomes(await process.outbox_events()) == [("sent", "li", "email", 3, "")]


async def test_message_fails_after_the_last_attempt(process: NotifyProcess, sms: SmsSink) -> None:
    sms.queued_responses.extend(Response(status_code=503) for _ in range(9))
    await process.record_requests(notification_request(by=["sms"]))
    for _ in range(3):
        assert await wait_for(lambda: process.run_cycle("sms")) == 1
    assert outcomes(await process.outbox_events()) == [("failed", "li", "sms", 3, "busy: 503")]
    assert len(sms.queued_responses) == 6
    assert await process.run_cycle("sms") == 0


async def test_permanent_refusal_is_not_retried(process: NotifyProcess) -> None:
    await process.record_requests(notification_request(persons=["wu"], by=["email", "sms"]))
    await process.run_cycle("email")
    await process.run_cycle("sms")
    assert outcomes(await process.outbox_events()) == [
        ("failed", "wu", "email", 1, "refused: 550 5.1.1"),
        ("failed", "wu", "sms", 1, "refused: 422"),
    ]


async def test_two_processes_send_each_message_once(settings: NotifySettings, process: NotifyProcess, mail: MailSink) -> None:
    database = Database(settings, "notify")
    other = NotifyProcess(settings, database)
    await process.record_requests(*(notification_request(f"c{n}") for n in range(120)))

    async def work(process: NotifyProcess) -> int:
        return sum([len(await send_some(process)) for _ in range(30)])

    shares = await asyncio.gather(work(process), work(other))
    assert sum(shares) == 120
    assert min(shares) > 0
    assert (len(mail.message_file.messages), mail.message_file.duplicates) == (120, 0)
    events = await process.outbox_events()
    assert len(events) == len({event["delivery"] for event in events}) == 120
    await other.close()
    await database.close()


async def send_some(process: NotifyProcess) -> list[object]:
    rows = await process.claim(limit=4)
    await process.settle(await process.send(rows))
    return list(rows)


async def test_crash_between_sending_and_settling_repeats_the_message_with_the_same_key(process: NotifyProcess, mail: MailSink) -> None:
    await process.record_requests(notification_request())
    interrupted = await process.send(await process.claim(lease=0.1))
    assert await wait_for(process.run_cycle) == 1
    assert (len(mail.message_file.messages), mail.message_file.duplicates) == (1, 1), (
        "SMTP cannot recognise a repeat, but the Message-ID is the same"
    )
    await process.settle(interrupted)
    assert outcomes(await process.outbox_events()) == [("sent", "li", "email", 2, "")]


async def test_result_of_an_expired_lease_is_discarded(process: NotifyProcess) -> None:
    await process.record_requests(notification_request())
    [slow] = await process.claim(lease=0)
    [quick] = await process.claim()
    assert (slow.fence, quick.fence) == (1, 2)
    await process.settle([(slow, SendFailed(reason="busy", permanent=True))])  # type: ignore[arg-type]
    assert [row["status"] for row in await process.delivery_rows()] == ["pending"]
    await process.settle([(quick, SendAccepted("r"))])
    await process.settle([(slow, SendAccepted("r"))])
    assert outcomes(await process.outbox_events()) == [("sent", "li", "email", 2, "")]


async def test_no_transaction_is_open_during_a_send(settings: NotifySettings, database: Database) -> None:
    class TransactionCounter:
        channel = "email"

        async def send(self, _message: OutgoingMessage) -> SendAccepted:
            async with database.transaction() as tx:
                open_transactions = await tx.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL "
                    "AND pid <> pg_backend_pid()"
                )
            assert open_transactions == 0
            return SendAccepted()

        async def close(self) -> None:
            pass

    process = NotifyProcess(settings, database, [TransactionCounter()])
    await process.record_requests(notification_request())
    assert await process.run_cycle() == 1
    assert outcomes(await process.outbox_events()) == [("sent", "li", "email", 1, "")]


async def test_exception_in_a_provider_costs_one_attempt_of_its_message_only(settings: NotifySettings, database: Database) -> None:
    class FailingProvider:
        channel = "email"

        async def send(self, message: OutgoingMessage) -> SendAccepted:
            if message.address == "li@example.com":
                raise RuntimeError("a bug")
            return SendAccepted()

        async def close(self) -> None:
            pass

    process = NotifyProcess(settings, database, [single_provider_pool("faulty", FailingProvider())])
    await process.record_requests(notification_request(), notification_request("c2", persons=["wu"]))
    await process.run_cycle()
    assert outcomes(await process.outbox_events()) == [("sent", "wu", "email", 1, "")]
    assert [row["reason"] for row in await process.delivery_rows() if row["status"] == "pending"] == ["garbage"]


async def test_address_encrypted_with_a_removed_key_fails(process: NotifyProcess) -> None:
    await process.record_requests(notification_request())
    [row] = await process.claim()
    attempts = await process.send([replace(row, address="gone.AAAA")])
    await process.settle(attempts)
    assert outcomes(await process.outbox_events()) == [("failed", "li", "email", 1, "sealed")]


class RecordingProvider:
    """Accepts every mail, or postpones all; keeps the domains and languages that it was called with."""

    channel = "email"

    def __init__(self, result: SendAccepted | SendFailed) -> None:
        self.result = result
        self.messages: list[OutgoingMessage] = []

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        self.messages.append(message)
        return self.result

    async def close(self) -> None:
        pass


async def test_slow_domain_takes_its_share_and_the_mails_behind_it_are_sent(settings: NotifySettings, database: Database) -> None:
    provider = RecordingProvider(SendAccepted())
    process = NotifyProcess(settings, database, [provider], lane_share=3)
    await process.record_requests(*(notification_request(f"slow{n}") for n in range(30)))
    other = notification_request("other", recipients=["complainant"], persons=[], about="closed")
    await process.record_requests(other)
    first = await process.claim(limit=10)
    assert [row.case_id for row in first if not row.case_id.startswith("slow")] == []
    assert len(first) == 3, "the window of ten saw one domain, which gets its share"
    sender = process.senders["email"]
    with ExitStack() as running:
        for row in first:
            running.enter_context(sender._lanes.occupy(row.lane))
        assert [row.case_id for row in await process.claim(limit=10)] == ["other"], "the full lane is left out before the limit"
    assert len(await process.claim(limit=10)) == 3
    assert {row["lane"] for row in await process.delivery_rows()} == {first[0].lane, delivery_lane("email", "x@example.org")}
    await process.close()


async def test_settled_delivery_has_no_lane_and_its_message_had_case_and_language(settings: NotifySettings, database: Database) -> None:
    provider = RecordingProvider(SendAccepted())
    process = NotifyProcess(settings, database, [provider])
    await process.record_requests(notification_request(), notification_request("c2", persons=["wu"]))
    await process.run_cycle()
    assert {(message.case, message.language) for message in provider.messages} == {("c1", "zh"), ("c2", "en")}
    assert [row["lane"] for row in await process.delivery_rows()] == ["", ""]


async def test_message_that_our_own_rate_limit_postpones_has_made_no_attempt(settings: NotifySettings, database: Database) -> None:
    provider = RecordingProvider(SendFailed(FailureReason.BUSY, permanent=False, retry_after=0.01, postponed=True))
    process = NotifyProcess(settings, database, [provider])
    await process.record_requests(notification_request())
    for _ in range(settings.delivery_attempts + 2):
        assert await wait_for(process.run_cycle) == 1
    assert [(row["status"], row["attempts"]) for row in await process.delivery_rows()] == [("pending", 0)]
    provider.result = SendAccepted("r")
    assert await wait_for(process.run_cycle) == 1
    assert outcomes(await process.outbox_events()) == [("sent", "li", "email", 1, "")]
