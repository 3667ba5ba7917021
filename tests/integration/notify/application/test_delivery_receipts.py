"""Delivery receipts: signed, recorded once, in any order."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from services.notify import api
from services.notify.config import NotifySettings
from services.notify.providers.provider import DeliveryReceipt, ReceiptStatus
from services.notify.providers.signed_gateway import sign_receipt
from services.notify.providers.sms.http_sms import LONGEST_RECEIPT
from shared.runtime.database.database import Database
from shared.runtime.http.problem import add_problem_handlers
from tests.integration.notify.notify_process import RECEIPT_SECRET, NotifyProcess, notification_request

SECRET_TEXT = RECEIPT_SECRET.get_secret_value()


@pytest.fixture
async def process(settings: NotifySettings, database: Database) -> AsyncIterator[NotifyProcess]:
    started = NotifyProcess(settings, database)
    await started.record_requests(notification_request(by=["sms"]))
    yield started
    await started.close()


@pytest.fixture
async def client(process: NotifyProcess) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    api.add_routes(app, process.receipts, SECRET_TEXT, process.clock)
    add_problem_handlers(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notify") as connected:
        yield connected


async def idempotency_key(process: NotifyProcess) -> str:
    return str((await process.delivery_rows())[0]["id"])


async def event_types(process: NotifyProcess) -> list[str]:
    return [event["type"] for event in await process.outbox_events()]


async def post(client: httpx.AsyncClient, process: NotifyProcess, body: bytes, secret: str = SECRET_TEXT) -> httpx.Response:
    stamp = str(int(process.clock.real_now().timestamp()))
    return await client.post(
        "/v1/receipts", content=body, headers={"jiesu-timestamp": stamp, "jiesu-signature": sign_receipt(secret, stamp, body)}
    )


async def test_repeated_receipt_is_recorded_once(process: NotifyProcess, client: httpx.AsyncClient) -> None:
    await process.run_cycle("sms")
    body = b'{"reference": "%s", "status": "delivered"}' % (await idempotency_key(process)).encode()
    for _ in range(2):
        answer = await post(client, process, body)
        assert (answer.status_code, answer.json()) == (202, {"recorded": "delivered"})
    assert await event_types(process) == ["sent", "delivered"]
    assert [event["sequence"] for event in await process.outbox_events()] == [1, 2]


async def test_receipt_before_the_result_of_the_send_is_recorded(process: NotifyProcess) -> None:
    attempts = await process.send(await process.claim("sms"), "sms")
    assert await process.receipts.record(DeliveryReceipt(await idempotency_key(process), ReceiptStatus.DELIVERED)) == "delivered"
    await process.settle(attempts, "sms")
    assert await event_types(process) == ["sent", "delivered"]
    assert [(row["status"], row["provider"], row["parts"]) for row in await process.delivery_rows()] == [("delivered", "http-sms", 1)]


async def test_events_of_an_early_receipt_name_the_provider_whose_route_it_came_to(process: NotifyProcess) -> None:
    attempts = await process.send(await process.claim("sms"), "sms")
    await process.receipts.record(DeliveryReceipt(await idempotency_key(process), ReceiptStatus.DELIVERED), "http-sms")
    await process.settle(attempts, "sms")
    assert [event["provider"] for event in await process.outbox_events()] == ["http-sms"] * 2


@pytest.mark.parametrize(("channel", "provider"), [("sms", "http-sms"), ("email", "smtp")])
async def test_events_of_an_early_receipt_without_a_provider_name_the_only_one_of_the_channel(
    process: NotifyProcess, channel: str, provider: str
) -> None:
    await process.record_requests(notification_request("c2", by=[channel]))
    attempts = await process.send(await process.claim(channel), channel)
    for row, _ in attempts:
        await process.receipts.record(DeliveryReceipt(str(row.id), ReceiptStatus.DELIVERED))
    await process.settle(attempts, channel)
    assert {(event["type"], event["provider"]) for event in await process.outbox_events()} == {("sent", provider), ("delivered", provider)}


async def test_failed_receipt_after_acceptance_is_a_failure(process: NotifyProcess) -> None:
    await process.run_cycle("sms")
    for _ in range(2):
        await process.receipts.record(DeliveryReceipt(await idempotency_key(process), ReceiptStatus.FAILED, "E17"))
    assert [(event["type"], event.get("reason", "")) for event in await process.outbox_events()] == [
        ("sent", ""),
        ("failed", "receipt: E17"),
    ]


async def test_delivered_outranks_failed_and_undecided_receipts(process: NotifyProcess) -> None:
    await process.run_cycle("sms")
    reference = await idempotency_key(process)
    for status in (ReceiptStatus.FAILED, ReceiptStatus.UNDECIDED, ReceiptStatus.DELIVERED, ReceiptStatus.FAILED):
        await process.receipts.record(DeliveryReceipt(reference, status))
    assert (await event_types(process))[-1] == "delivered"
    assert [row["status"] for row in await process.delivery_rows()] == ["delivered"]


async def test_forged_long_invalid_and_unknown_receipts_are_refused(process: NotifyProcess, client: httpx.AsyncClient) -> None:
    receipt = b'{"reference": "%s", "status": "delivered"}' % (await idempotency_key(process)).encode()
    answers = [
        await post(client, process, receipt, "wrong"),
        await client.post("/v1/receipts", content=receipt),
        await post(client, process, b" " * (LONGEST_RECEIPT + 1)),
        await post(client, process, b"{}"),
        await post(client, process, b'{"reference": "%s", "status": "delivered"}' % str(uuid4()).encode()),
        await post(client, process, b'{"reference": "../x", "status": "delivered"}'),
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 413, 422, 404, 404]
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    assert "reference" in answers[3].json()["detail"]
    assert await event_types(process) == []
