"""Deliveries in a real database and with real peers: once, fenced, retried, finally failed."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from fastapi import Response

from deploy.sinks import MailSink, SmsSink
from services.notify.config import NotifySettings
from services.notify.providers.provider import OutgoingMessage, SendAccepted, SendFailed
from shared.runtime.database.database import Database
from tests.integration.notify.notify_process import PERSONAL_DATA, NotifyProcess, notification_request
from tests.support.waiting import wait_for


@pytest.fixture
async def office(settings: NotifySettings, database: Database) -> AsyncIterator[NotifyProcess]:
    made = NotifyProcess(settings, database)
    yield made
    await made.close()


def brief(events: list[dict[str, object]]) -> list[tuple[object, ...]]:
    return [(e["type"], e["recipient"], e["channel"], e["attempts"], e.get("reason", "")) for e in events]


async def test_a_request_is_sent_once_a_channel_and_recorded(office: NotifyProcess, mail: MailSink, sms: SmsSink) -> None:
    await office.record_requests(notification_request(by=["email", "sms"], values={"number": "TS-1"}))
    assert [await office.run_cycle(channel) for channel in ("email", "sms")] == [1, 1]
    assert [await office.run_cycle(channel) for channel in ("email", "sms")] == [0, 0]
    [letter], [text] = mail.message_file.messages.values(), sms.message_file.messages.values()
    assert (letter["to"], letter["subject"]) == (["li@example.com"], "催办：投诉单 TS-1")
    assert (text["to"], text["text"][:11]) == ("+8613800000001", "【接诉】催办：投诉单 ")
    events = await office.outbox_events()
    assert brief(events) == [("sent", "li", "email", 1, ""), ("sent", "li", "sms", 1, "")]
    assert [(e["sequence"], e["clause"], e["by"]) for e in events] == [(1, "3.6", "notify"), (2, "3.6", "notify")]
    assert [(row["status"], row["address"], row["text"]) for row in await office.delivery_rows()] == [("sent", "", "")] * 2


async def test_the_complainant_is_told_and_nothing_personal_stays_or_leaves(office: NotifyProcess, mail: MailSink) -> None:
    await office.record_requests(notification_request(recipients=["complainant"], persons=[], about="closed"))
    stored = json.dumps(await office.delivery_rows(), default=str, ensure_ascii=False)
    await office.run_cycle()
    [letter] = mail.message_file.messages.values()
    assert letter["to"] == ["wang@example.org"]
    told = json.dumps([await office.outbox_events(), await office.delivery_rows()], default=str, ensure_ascii=False)
    assert [word for word in PERSONAL_DATA if word in stored + told] == []


async def test_a_repeated_request_changes_nothing(office: NotifyProcess, mail: MailSink) -> None:
    event = notification_request(notification="n1")
    await office.record_requests(event, event)
    await office.run_cycle()
    await office.record_requests(event)
    assert await office.run_cycle() == 0
    assert (len(mail.message_file.messages), len(await office.outbox_events())) == (1, 1)


async def test_who_cannot_be_told_fails_at_once(office: NotifyProcess) -> None:
    await office.record_requests(
        notification_request(persons=["he"], by=["email", "sms"]),
        notification_request("c2", persons=[], recipients=["manager"]),
        notification_request("c3", recipients=["complainant"], persons=[], contact="k9.unknown"),
        notification_request("c4", by=["fax"]),
    )
    assert await office.run_cycle() == 0
    assert sorted(brief(await office.outbox_events())) == [
        ("failed", "complainant", "email", 0, "sealed"),
        ("failed", "he", "email", 0, "no_address"),
        ("failed", "he", "sms", 0, "no_address"),
        ("failed", "li", "fax", 0, "no_provider"),
        ("failed", "manager", "email", 0, "vacant"),
    ]


async def test_what_is_put_off_is_tried_again_until_it_arrives(office: NotifyProcess, mail: MailSink) -> None:
    mail.queued_replies.extend(["451 4.7.1 later", "421 not now"])
    await office.record_requests(notification_request())
    for _ in range(3):
        assert await wait_for(office.run_cycle) == 1
    assert brief(await office.outbox_events()) == [("sent", "li", "email", 3, "")]


async def test_patience_ends_visibly(office: NotifyProcess, sms: SmsSink) -> None:
    sms.queued_responses.extend(Response(status_code=503) for _ in range(9))
    await office.record_requests(notification_request(by=["sms"]))
    for _ in range(3):
        assert await wait_for(lambda: office.run_cycle("sms")) == 1
    assert brief(await office.outbox_events()) == [("failed", "li", "sms", 3, "busy: 503")]
    assert len(sms.queued_responses) == 6
    assert await office.run_cycle("sms") == 0


async def test_a_refusal_for_good_is_not_repeated(office: NotifyProcess) -> None:
    await office.record_requests(notification_request(persons=["wu"], by=["email", "sms"]))
    await office.run_cycle("email")
    await office.run_cycle("sms")
    assert brief(await office.outbox_events()) == [
        ("failed", "wu", "email", 1, "refused: 550 5.1.1"),
        ("failed", "wu", "sms", 1, "refused: 422"),
    ]


async def test_two_processes_send_each_message_once(settings: NotifySettings, office: NotifyProcess, mail: MailSink) -> None:
    database = Database(settings, "notify")
    other = NotifyProcess(settings, database)
    await office.record_requests(*(notification_request(f"c{n}") for n in range(120)))

    async def work(process: NotifyProcess) -> int:
        return sum([len(await _some(process)) for _ in range(30)])

    shares = await asyncio.gather(work(office), work(other))
    assert sum(shares) == 120
    assert min(shares) > 0
    assert (len(mail.message_file.messages), mail.message_file.duplicates) == (120, 0)
    events = await office.outbox_events()
    assert len(events) == len({e["delivery"] for e in events}) == 120
    await other.close()
    await database.close()


async def _some(process: NotifyProcess) -> list[object]:
    rows = await process.claim(limit=4)
    await process.settle(await process.send(rows))
    return list(rows)


async def test_after_a_crash_between_sending_and_recording_the_same_key_goes_again(office: NotifyProcess, mail: MailSink) -> None:
    await office.record_requests(notification_request())
    lost = await office.send(await office.claim(lease=0.1))
    assert await wait_for(office.run_cycle) == 1
    assert (len(mail.message_file.messages), mail.message_file.duplicates) == (1, 1), (
        "a mail server cannot know a repeat; its Message-ID is the same"
    )
    await office.settle(lost)
    assert brief(await office.outbox_events()) == [("sent", "li", "email", 2, "")]


async def test_who_lost_the_lease_records_nothing(office: NotifyProcess) -> None:
    await office.record_requests(notification_request())
    [slow] = await office.claim(lease=0)
    [quick] = await office.claim()
    assert (slow.fence, quick.fence) == (1, 2)
    await office.settle([(slow, SendFailed(reason="busy", permanent=True))])  # type: ignore[arg-type]
    assert [row["status"] for row in await office.delivery_rows()] == ["pending"]
    await office.settle([(quick, SendAccepted("r"))])
    await office.settle([(slow, SendAccepted("r"))])
    assert brief(await office.outbox_events()) == [("sent", "li", "email", 2, "")]


async def test_no_transaction_is_open_while_a_provider_works(settings: NotifySettings, database: Database) -> None:
    class Watching:
        channel = "email"

        async def send(self, _message: OutgoingMessage) -> SendAccepted:
            async with database.transaction() as tx:
                open_ones = await tx.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL "
                    "AND pid <> pg_backend_pid()"
                )
            assert open_ones == 0
            return SendAccepted()

        async def close(self) -> None:
            pass

    office = NotifyProcess(settings, database, [Watching()])
    await office.record_requests(notification_request())
    assert await office.run_cycle() == 1
    assert brief(await office.outbox_events()) == [("sent", "li", "email", 1, "")]


async def test_a_fault_of_the_provider_costs_one_attempt(settings: NotifySettings, database: Database) -> None:
    class Broken:
        channel = "email"

        async def send(self, message: OutgoingMessage) -> SendAccepted:
            if message.address == "li@example.com":
                raise RuntimeError("a bug")
            return SendAccepted()

        async def close(self) -> None:
            pass

    office = NotifyProcess(settings, database, [Broken()])
    await office.record_requests(notification_request(), notification_request("c2", persons=["wu"]))
    await office.run_cycle()
    assert brief(await office.outbox_events()) == [("sent", "wu", "email", 1, "")]
    assert [row["reason"] for row in await office.delivery_rows() if row["status"] == "pending"] == ["garbage"]


async def test_an_address_sealed_with_a_key_that_is_gone_fails(office: NotifyProcess) -> None:
    await office.record_requests(notification_request())
    [row] = await office.claim()
    done = await office.send([replace(row, address="gone.AAAA")])
    await office.settle(done)
    assert brief(await office.outbox_events()) == [("failed", "li", "email", 1, "sealed")]
