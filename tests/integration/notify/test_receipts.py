"""Receipts: signed, once, whatever the order in which they come."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from services.notify import api
from services.notify.config import NotifySettings
from services.notify.providers.http_sms import LONGEST_RECEIPT, sign_receipt
from services.notify.providers.provider import DeliveryReceipt, ReceiptStatus
from shared.runtime.database.database import Database
from tests.integration.notify.desk import RECEIPT_SECRET, NotifyProcess, notification_request

SECRET_TEXT = RECEIPT_SECRET.get_secret_value()


@pytest.fixture
async def office(settings: NotifySettings, database: Database) -> AsyncIterator[NotifyProcess]:
    made = NotifyProcess(settings, database)
    await made.record_requests(notification_request(by=["sms"]))
    yield made
    await made.close()


@pytest.fixture
async def client(office: NotifyProcess) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    api.add_routes(app, office.receipts, SECRET_TEXT, office.clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notify") as connected:
        yield connected


async def key(office: NotifyProcess) -> str:
    return str((await office.delivery_rows())[0]["id"])


async def kinds(office: NotifyProcess) -> list[str]:
    return [e["type"] for e in await office.outbox_events()]


async def post(client: httpx.AsyncClient, office: NotifyProcess, body: bytes, secret: str = SECRET_TEXT) -> httpx.Response:
    stamp = str(int(office.clock.real_now().timestamp()))
    return await client.post(
        "/v1/receipts", content=body, headers={"jiesu-timestamp": stamp, "jiesu-signature": sign_receipt(secret, stamp, body)}
    )


async def test_a_receipt_is_recorded_once(office: NotifyProcess, client: httpx.AsyncClient) -> None:
    await office.run_cycle("sms")
    body = b'{"reference": "%s", "status": "delivered"}' % (await key(office)).encode()
    for _ in range(2):
        answer = await post(client, office, body)
        assert (answer.status_code, answer.json()) == (202, {"recorded": "delivered"})
    assert await kinds(office) == ["sent", "delivered"]
    assert [e["sequence"] for e in await office.outbox_events()] == [1, 2]


async def test_a_receipt_may_overtake_the_record_of_the_sending(office: NotifyProcess) -> None:
    done = await office.send(await office.claim("sms"), "sms")
    assert await office.receipts.record(DeliveryReceipt(await key(office), ReceiptStatus.DELIVERED)) == "delivered"
    await office.settle(done, "sms")
    assert await kinds(office) == ["sent", "delivered"]
    assert [row["status"] for row in await office.delivery_rows()] == ["delivered"]


async def test_a_message_that_got_lost_behind_the_gateway_has_failed(office: NotifyProcess) -> None:
    await office.run_cycle("sms")
    for _ in range(2):
        await office.receipts.record(DeliveryReceipt(await key(office), ReceiptStatus.FAILED, "E17"))
    assert [(e["type"], e.get("reason", "")) for e in await office.outbox_events()] == [("sent", ""), ("failed", "receipt: E17")]


async def test_what_arrived_has_arrived(office: NotifyProcess) -> None:
    await office.run_cycle("sms")
    reference = await key(office)
    for arrival in (ReceiptStatus.FAILED, ReceiptStatus.UNDECIDED, ReceiptStatus.DELIVERED, ReceiptStatus.FAILED):
        await office.receipts.record(DeliveryReceipt(reference, arrival))
    assert (await kinds(office))[-1] == "delivered"
    assert [row["status"] for row in await office.delivery_rows()] == ["delivered"]


async def test_forged_long_unreadable_and_unknown_receipts_are_refused(office: NotifyProcess, client: httpx.AsyncClient) -> None:
    known = b'{"reference": "%s", "status": "delivered"}' % (await key(office)).encode()
    answers = [
        await post(client, office, known, "wrong"),
        await client.post("/v1/receipts", content=known),
        await post(client, office, b" " * (LONGEST_RECEIPT + 1)),
        await post(client, office, b"{}"),
        await post(client, office, b'{"reference": "%s", "status": "delivered"}' % str(uuid4()).encode()),
        await post(client, office, b'{"reference": "../x", "status": "delivered"}'),
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 413, 422, 404, 404]
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    assert "reference" in answers[3].json()["detail"]
    assert await kinds(office) == []
