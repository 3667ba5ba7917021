"""notify as a service on a real broker, database, mail server and gateway."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from deploy.sinks import MailSink, SmsSink
from deploy.sinks.sms import ReceiptCallback
from services.notify.bootstrap import build
from services.notify.config import NotifySettings
from services.notify.storage.carried_news import HAS_NEWS
from services.notify.storage.deliveries import due_condition
from services.notify.storage.digests import HAS_DUE_DIGESTS
from shared.contracts import topics
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.outbox.relay import HAS_MESSAGES
from shared.runtime.processing.redelivery import HAS_REQUESTS
from shared.runtime.service import Service
from tests.integration.notify.notify_process import PERSONAL_DATA, RECEIPT_SECRET, notification_request
from tests.support.messaging.cloud_events import case_event, cloud_event
from tests.support.messaging.topic_client import TopicClient
from tests.support.waiting import wait_for


@pytest.fixture
async def service(settings: NotifySettings, sms: SmsSink) -> AsyncIterator[Service]:
    await apply_topics(settings, [topics.CASE_EVENTS, topics.MAIL_EVENTS, topics.NOTIFICATION_EVENTS])
    async with build(settings).running() as running:
        sms.callback = ReceiptCallback(f"http://127.0.0.1:{running.http_port}/v1/receipts", RECEIPT_SECRET.get_secret_value())
        yield running


async def wait_for_outcomes(topic_client: TopicClient, number: int) -> list[dict[str, Any]]:
    """Key, type and fields of the events on notify's topic, once there are that many."""

    async def has_enough() -> list[dict[str, Any]]:
        events = await topic_client.read_events(topics.NOTIFICATION_EVENTS)
        return [{"key": key, "type": event_type, **body} for event_type, key, body in events] if len(events) >= number else []

    return await wait_for(has_enough, what=f"{number} outcomes")


async def test_requests_are_sent_and_their_receipts_published(
    service: Service, topic_client: TopicClient, mail: MailSink, sms: SmsSink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    requests = [
        notification_request("c1", by=["sms", "email"], urgent=True),
        notification_request("c2", recipients=["complainant"], persons=[], by=["sms"]),
        notification_request("c3", persons=["he"], by=["sms"]),
        notification_request("c4", persons=["wu"], by=["sms"]),
    ]
    breach = {"case": "c1", "at": "2026-09-24T00:00:00Z"}
    await topic_client.publish(cloud_event(topics.CASE_EVENTS, "c1", "clock_breached", breach, "sla"))
    await topic_client.publish(cloud_event(topics.CASE_EVENTS, "c1", "of a newer kind", b"\xff", "sla"))
    await topic_client.publish_all([case_event(topics.CASE_EVENTS, request, "sla") for request in requests])
    read = await wait_for_outcomes(topic_client, 7)
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


async def test_loops_wait_for_what_other_processes_add(service: Service) -> None:
    awaited = {due_condition("email"), due_condition("sms"), HAS_DUE_DIGESTS, HAS_NEWS, HAS_MESSAGES, HAS_REQUESTS}
    assert awaited <= set(service.looks._expressions)


async def test_invalid_request_is_a_dead_letter_and_holds_up_no_other(service: Service, topic_client: TopicClient, mail: MailSink) -> None:
    await topic_client.publish(cloud_event(topics.CASE_EVENTS, "c1", "notification_requested", {"case": "c1"}, "sla"))
    of_another_case = notification_request("c3").model_dump(mode="json", exclude_none=True)
    await topic_client.publish(cloud_event(topics.CASE_EVENTS, "c1", "notification_requested", of_another_case, "sla"))
    await topic_client.publish(case_event(topics.CASE_EVENTS, notification_request("c2"), "sla"))
    [sent] = await wait_for_outcomes(topic_client, 1)
    assert (sent["key"], len(mail.message_file.messages)) == ("c2", 1)

    async def both_are_dead_letters() -> bool:
        async with service.database.transaction() as tx:
            rows = await tx.fetch("SELECT reason FROM dead_letter ORDER BY kafka_offset")
        return len(rows) == 2 and "key is not the case that its event names" in rows[1]["reason"]

    await wait_for(both_are_dead_letters, what="two dead letters")
