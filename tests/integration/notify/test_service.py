"""notify as a service on a real broker, database, mail server and gateway."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.sinks import MailSink, SmsSink
from deploy.sinks.sms import ReceiptCallback
from services.notify.bootstrap import build
from services.notify.config import NotifySettings
from shared.contracts import topics
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.events import encode_event
from shared.contracts.events.base import CaseEvent
from shared.runtime.clock import uuid7
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.service import Service
from tests.integration.notify.notify_process import PERSONAL_DATA, RECEIPT_SECRET, notification_request
from tests.support.waiting import wait_for


@pytest.fixture
async def service(settings: NotifySettings, sms: SmsSink) -> AsyncIterator[Service]:
    await apply_topics(settings, [topics.CASE_EVENTS, topics.NOTIFICATION_EVENTS])
    async with build(settings).running() as running:
        sms.callback = ReceiptCallback(f"http://127.0.0.1:{running.http_port}/v1/receipts", RECEIPT_SECRET.get_secret_value())
        yield running


async def publish(settings: NotifySettings, *records: tuple[str, str, bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers) as producer:
        for kind, key, body in records:
            event = notification_request(key)
            message = CloudEventRecord(topic="case-events", key=key, id=uuid7(), type=kind, at=event.at, body=body, source="sla")
            await producer.send_and_wait(f"{settings.topic_prefix}case-events", body, key=key.encode(), headers=message.kafka_headers())


def to_record(event: CaseEvent) -> tuple[str, str, bytes]:
    return event.name, event.case, encode_event(event)


class Outcomes:
    """Reads notification-events."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self.read: list[dict[str, Any]] = []

    async def until(self, number: int) -> list[dict[str, Any]]:
        async def has_enough() -> bool:
            for batch in (await self._consumer.getmany(timeout_ms=200)).values():
                for record in batch:
                    headers = {name: value.decode() for name, value in record.headers}
                    self.read.append({"key": record.key.decode(), "type": headers["ce_type"], **json.loads(record.value)})
            return len(self.read) >= number

        await wait_for(has_enough, what=f"{number} outcomes")
        return self.read


@pytest.fixture
async def outcomes(settings: NotifySettings, service: Service) -> AsyncIterator[Outcomes]:
    assert service.http_port
    topic = f"{settings.topic_prefix}notification-events"
    options = {"bootstrap_servers": settings.kafka_bootstrap_servers, "auto_offset_reset": "earliest", "group_id": f"{topic}.test"}
    async with AIOKafkaConsumer(topic, **options) as consumer:
        yield Outcomes(consumer)


async def test_requests_are_sent_and_their_receipts_published(
    settings: NotifySettings, service: Service, outcomes: Outcomes, mail: MailSink, sms: SmsSink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await publish(
        settings,
        ("clock_breached", "c1", b'{"case": "c1", "at": "2026-09-24T00:00:00Z"}'),
        ("of a newer kind", "c1", b"\xff"),
        to_record(notification_request("c1", by=["sms", "email"], urgent=True)),
        to_record(notification_request("c2", recipients=["complainant"], persons=[], by=["sms"])),
        to_record(notification_request("c3", persons=["he"], by=["sms"])),
        to_record(notification_request("c4", persons=["wu"], by=["sms"])),
    )
    read = await outcomes.until(7)
    assert sorted((e["key"], e["channel"], e["type"].removeprefix("notification_"), e.get("reason", "")) for e in read) == [
        ("c1", "email", "sent", ""),
        ("c1", "sms", "delivered", ""),
        ("c1", "sms", "sent", ""),
        ("c2", "sms", "delivered", ""),
        ("c2", "sms", "sent", ""),
        ("c3", "sms", "failed", "no_address"),
        ("c4", "sms", "failed", "refused: 422"),
    ]
    assert [e["sequence"] for e in read if e["key"] == "c1"] == [1, 2, 3]
    assert (len(mail.message_file.messages), len(sms.message_file.messages)) == (1, 2)
    assert [word for word in PERSONAL_DATA if word in caplog.text + json.dumps(read)] == []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.http_port}") as client:
        exported = (await client.get("/metrics")).text
        assert (await client.get("/ready")).status_code == 200
    for name in ('sent_total{channel="email"}', 'failed_total{channel="sms",reason="no_address"}', 'receipts_total{outcome="delivered"}'):
        assert f"jiesu_notify_{name}" in exported


async def test_invalid_request_is_a_dead_letter_and_holds_up_no_other(
    settings: NotifySettings, service: Service, outcomes: Outcomes, mail: MailSink
) -> None:
    await publish(settings, ("notification_requested", "c1", b'{"case": "c1"}'), to_record(notification_request("c2")))
    [sent] = await outcomes.until(1)
    assert (sent["key"], len(mail.message_file.messages)) == ("c2", 1)
    async with service.database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM dead_letter") == 1
